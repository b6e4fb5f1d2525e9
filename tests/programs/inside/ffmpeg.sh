#!/bin/bash
# SPDX-License-Identifier: MIT
# Codecs whose loops are written for each kind of vector unit: the bits are those of elsewhere.
make() { ffmpeg -y -v error -nostdin "$@" </dev/null || exit 1; }
video='testsrc2=size=352x288:rate=25:duration=0.4'
audio='sine=frequency=440:duration=1,aformat=channel_layouts=stereo:sample_rates=48000'
exact='-flags +bitexact -sws_flags bitexact+accurate_rnd'
videos='mpeg4 mpeg2video mjpeg ffv1 huffyuv h263p dnxhd prores' audios='flac ac3_fixed alac wavpack'
# all codecs at once: a program of a hundred libraries takes its time to start
for flags in ${ONLY-'' sse2 sse4.2 avx avx2 avx512}; do
	cpu=${flags:+-cpuflags $flags} encode='' from='' decode='' n=0
	for codec in $videos $audios; do
		case $codec in
		dnxhd) more='-profile:v dnxhr_lb' ;;
		prores) more='-pix_fmt yuv422p10' ;;
		*) more= ;;
		esac
		case " $audios " in
		*" $codec "*) encode+=" -map 1:a -c:a $codec $exact -fflags +bitexact -f matroska $codec.nut" ;;
		*) encode+=" -map 0:v -c:v $codec $more -threads 2 $exact -f nut $codec.nut" ;;
		esac
		from+=" -threads 2 -i $codec.nut"
		decode+=" -map $n $exact -f md5 $codec.md5"
		n=$((n + 1))
	done
	# shellcheck disable=SC2086
	make $cpu -f lavfi -i "$video" -f lavfi -i "$audio" $encode
	# shellcheck disable=SC2086
	make $cpu $from $decode
	for codec in $videos $audios; do
		echo "same $flags $codec $(cat "$codec.md5") $(sha256sum <"$codec.nut")"
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
