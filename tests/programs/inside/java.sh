#!/bin/bash
# SPDX-License-Identifier: MIT
# HotSpot: interpreter, both compilers, four garbage collectors, many threads.
cat >Work.java <<'J'
import java.security.MessageDigest;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.stream.*;

public class Work {
	static void same(String what, Object value) throws Exception {
		byte[] d = MessageDigest.getInstance("SHA-256").digest(value.toString().getBytes("UTF-8"));
		System.out.printf("same %s %02x%02x%02x%02x%02x%02x%n", what, d[0], d[1], d[2], d[3], d[4], d[5]);
	}

	interface Shape { double area(); }

	public static void main(String[] args) throws Exception {
		int n = args.length > 0 ? Integer.parseInt(args[0]) : 10;
		double[][] a = new double[16 * n][16 * n], b = new double[16 * n][16 * n];
		double total = 0;
		for (int i = 0; i < a.length; i++)
			for (int j = 0; j < a.length; j++) { a[i][j] = Math.sin(i * 31 + j); b[i][j] = 1.0 / (1 + i + j); }
		for (int i = 0; i < a.length; i++)
			for (int j = 0; j < a.length; j++) {
				double s = 0;
				for (int k = 0; k < a.length; k++) s += a[i][k] * b[k][j];
				total += s;
			}
		same("matrix", total);
		int[] v = new int[100000 * n];
		int x = 1;
		for (int i = 0; i < v.length; i++) v[i] = x = x * 1103515245 + 12345;
		int sum = 0;
		for (int r = 0; r < 10; r++) for (int i = 0; i < v.length; i++) sum += v[i] ^ (v[i] >>> r); // vectors
		same("vectors", sum);
		Arrays.parallelSort(v);
		same("sort", Arrays.hashCode(v));
		same("streams", IntStream.range(0, 100000 * n).parallel().mapToLong(i -> (long) i * i % 7919).sum());
		StringBuilder text = new StringBuilder();
		for (int i = 0; i < 10000 * n; i++) text.append(i * 31 % 977).append(i % 3 == 0 ? "\u00e9" : ",");
		same("text", Arrays.hashCode(text.toString().split("[,\u00e9]")));
		Shape[] shapes = new Shape[1000];
		for (int i = 0; i < shapes.length; i++) {
			final int k = i;
			shapes[i] = i % 3 == 0 ? () -> k * 2.5 : i % 3 == 1 ? () -> Math.sqrt(k) : () -> { if (k < 0) throw new RuntimeException(); return k / 3.0; };
		}
		double area = 0;
		for (int r = 0; r < 100 * n; r++) for (Shape s : shapes) area += s.area();
		same("calls", area);
		int caught = 0;
		for (int i = 0; i < 3000 * n; i++)
			try { Object o = i % 2 == 0 ? null : "s"; caught += o.toString().length() / (i % 3); }
			catch (NullPointerException e) { caught += 3; }
			catch (ArithmeticException e) { caught += 5; } // by a signal
		same("exceptions", caught);
		Map<Integer, List<Integer>> keep = new ConcurrentHashMap<>();
		AtomicLong counter = new AtomicLong();
		ExecutorService pool = Executors.newFixedThreadPool(8);
		Object lock = new Object();
		long[] guarded = new long[1];
		List<Future<?>> all = new ArrayList<>();
		for (int t = 0; t < 8; t++) {
			final int id = t;
			all.add(pool.submit(() -> {
				for (int i = 0; i < 20000 * n; i++) {
					List<Integer> l = new ArrayList<>(List.of(i, id, i + id));
					if (i % 100 == 0) keep.put(id * 1000000 + i, l);
					counter.incrementAndGet();
					if (i % 10 == 0) synchronized (lock) { guarded[0]++; }
				}
			}));
		}
		for (Future<?> f : all) f.get();
		pool.shutdown();
		long k = 0;
		for (Map.Entry<Integer, List<Integer>> e : keep.entrySet()) k += e.getKey() * 31L + e.getValue().get(2);
		same("threads", counter + " " + guarded[0] + " " + k);
	}
}
J
javac Work.java || exit 1
for options in ${ONLY:--XX:+UseSerialGC -XX:+UseParallelGC -XX:+UseG1GC -XX:+UseZGC -XX:-TieredCompilation -Xcomp}; do
	echo "== $options"
	java -Xmx400m "$options" -XX:ErrorFile=/dev/stdout Work 1 || exit 1
done

