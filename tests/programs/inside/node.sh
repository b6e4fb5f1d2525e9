#!/bin/bash
# SPDX-License-Identifier: MIT
# V8: optimised code, code that is thrown away again, WebAssembly, threads with shared memory, garbage.
cat >node.js <<'J'
const crypto = require('crypto'), zlib = require('zlib');
const { Worker, isMainThread, workerData, parentPort } = require('worker_threads');
const same = (what, value) => console.log('same', what, crypto.createHash('sha256').update(String(value)).digest('hex').slice(0, 16));

if (!isMainThread) {
	const a = new Int32Array(workerData);
	for (let i = 0; i < 50000; i++) {
		Atomics.add(a, 0, 1);
		while (Atomics.compareExchange(a, 1, 0, 1) !== 0) Atomics.wait(a, 1, 1, 1);
		a[2]++;
		Atomics.store(a, 1, 0);
		Atomics.notify(a, 1, 1);
	}
	parentPort.postMessage('done');
} else {
	let x = 1, f = 0;
	for (let i = 0; i < 6e6; i++) { x = Math.imul(x, 1103515245) + 12345 | 0; f += Math.sqrt(x & 0xffff) / (1 + (i & 7)); }
	same('integers', x); same('doubles', f);
	const add = (a, b) => a + b; // integers, then doubles, then strings: optimised, and not
	let s = 0;
	for (let i = 0; i < 1e6; i++) s = add(s, i);
	for (let i = 0; i < 1e6; i++) s = add(s, i / 3);
	for (let i = 0; i < 1000; i++) s = add(s, 'x');
	same('kinds', s);
	let b = 1n;
	for (let i = 1n; i < 1500n; i++) b *= i;
	same('big integers', b);
	const text = Array.from({ length: 20000 }, (_, i) => 'k' + (i * 7919 % 20000)).sort().join(',');
	same('text', text.replace(/k(\d+)/g, (m, d) => d % 3 ? m : d));
	same('numbers', Array.from({ length: 100000 }, (_, i) => Math.sin(i) * Math.exp(i % 50) / 3).join());
	let o = {};
	for (let i = 0; i < 50000; i++) { o['p' + i % 5000] = { i, next: o['p' + (i + 1) % 5000] && i }; }
	same('objects', JSON.stringify(o));
	let keep = [];
	for (let i = 0; i < 5e5; i++) { const g = { i, a: [i, i + 1] }; if (i % 1000 === 0) keep.push(g); }
	same('garbage', JSON.stringify(keep));
	const data = Buffer.from(text.repeat(20));
	same('zlib', zlib.inflateSync(zlib.deflateSync(data)).equals(data));
	// (func (export "f") (param i32) (result i32) ...): a sum of i * i, through memory
	const wasm = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 102, 0, 0, 10, 44, 1,
		42, 1, 1, 127, 3, 64, 65, 0, 65, 0, 40, 2, 0, 32, 0, 32, 0, 108, 106, 54, 2, 0, 32, 0, 65, 1, 107, 34, 0, 13, 0, 11,
		65, 0, 40, 2, 0, 33, 1, 65, 0, 65, 0, 54, 2, 0, 32, 1, 11]);
	if (WebAssembly.validate(wasm)) {
		const g = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports.f;
		let r = 0;
		for (let i = 0; i < 100; i++) r = r + g(100000 + i) | 0;
		same('wasm', r);
	} else console.log('not valid');
	const shared = new SharedArrayBuffer(12);
	let left = 4;
	for (let i = 0; i < 4; i++)
		new Worker(__filename, { workerData: shared }).on('message', () => {
			if (--left === 0) { const a = new Int32Array(shared); console.log('same threads', a[0], a[2]); }
		});
}
J
node node.js
