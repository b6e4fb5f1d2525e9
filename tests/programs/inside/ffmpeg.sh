#!/bin/bash
# SPDX-License-Identifier: MIT
# Codecs whose loops are written for each kind of vector unit: the bits are those of elsewhere.
make() { ffmpeg -v error -nostdin "$@" </dev/null || exit 1; }
video='testsrc2=size=352x288:rate=25:duration=0.4'
audio='sine=frequency=440:duration=1,aformat=channel_layouts=stereo:sample_rates=48000'
for flags in '' sse2 sse4.2 avx avx2 avx512; do
	cpu=${flags:+-cpuflags $flags}
	for codec in mpeg4 mpeg2video mjpeg ffv1 huffyuv h263p dnxhd prores; do
		case $codec in
		dnxhd) more='-profile:v dnxhr_lb' ;;
		prores) more='-pix_fmt yuv422p10' ;;
		*) more= ;;
		esac
		# shellcheck disable=SC2086
		make $cpu -f lavfi -i "$video" -c:v $codec $more -threads 2 -flags +bitexact -sws_flags bitexact+accurate_rnd -f nut out.nut
		echo "same $flags $codec $(make $cpu -threads 2 -i out.nut -flags +bitexact -sws_flags bitexact+accurate_rnd -f md5 -) $(sha256sum <out.nut)"
	done
	for codec in flac ac3_fixed alac wavpack; do
		# shellcheck disable=SC2086
		make $cpu -f lavfi -i "$audio" -c:a $codec -flags +bitexact -f nut out.nut
		echo "same $flags $codec $(make $cpu -i out.nut -flags +bitexact -f md5 -)"
	done
done
make -f lavfi -i "$video" -c:v libx264 -preset medium -threads 2 -f nut out.nut
echo "same x264 $(make -threads 2 -i out.nut -f md5 -)"
make -f lavfi -i "$video" -c:v libx265 -x265-params log-level=0:pools=2:frame-threads=2 -f nut out.nut
echo "same x265 $(make -threads 2 -i out.nut -f md5 -)"
make -f lavfi -i "$video" -c:v libvpx-vp9 -deadline realtime -cpu-used 5 -threads 2 -f nut out.nut
echo "same vp9 $(make -threads 2 -i out.nut -f md5 -)"
make -f lavfi -i "$audio" -c:a libmp3lame -f nut out.nut
echo "same mp3 $(make -i out.nut -f md5 -)"
make -f lavfi -i "$audio" -c:a libopus -f nut out.nut
echo "same opus $(make -i out.nut -f md5 -)"
