#!/bin/bash
# SPDX-License-Identifier: MIT
# Ciphers and digests by every path that the processor has, beside those of elsewhere; keys, signatures, connections.
head -c 300001 /dev/zero | openssl enc -aes-256-ctr -K 00 -iv 00 >data 2>/dev/null
key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
# all; without AVX-512; without VAES and AVX2, SHA; without AES, PCLMUL, AVX; plain
for mask in '' ':~0xd0030000' '~0x0:~0xf0030020:~0x600' '~0x1200000210000000:~0xffffffffffffffff' '0x0:0x0'; do
	export OPENSSL_ia32cap=$mask
	[ -n "$mask" ] || unset OPENSSL_ia32cap
	for digest in md5 sha1 sha224 sha256 sha384 sha512 sha512-256 sha3-256 sha3-512 shake256 blake2b512 blake2s256 sm3 ripemd160; do
		echo "same $mask $digest $(openssl dgst -provider legacy -provider default -$digest <data | sed 's/.*= //')"
	done
	for cipher in aes-{128,192,256}-{cbc,ctr,ecb,cfb,ofb} aria-256-ctr camellia-256-cbc chacha20 des-ede3-cbc sm4-ctr; do
		openssl enc -$cipher -K ${key} -iv ${key:0:32} <data >secret 2>/dev/null
		echo "same $mask $cipher $(sha256sum <secret)"
		openssl enc -d -$cipher -K ${key} -iv ${key:0:32} <secret 2>/dev/null | cmp - data || exit 1
	done
	for mac in '-digest SHA256 HMAC' '-cipher AES-256-CBC CMAC' '-cipher AES-256-GCM -macopt hexiv:000102030405060708090a0b GMAC' Poly1305; do
		# shellcheck disable=SC2086
		echo "same $mask $mac $(openssl mac -macopt hexkey:$key $mac <data 2>&1)"
	done
	for kind in 'RSA -pkeyopt rsa_keygen_bits:2048' 'EC -pkeyopt ec_paramgen_curve:P-256' 'EC -pkeyopt ec_paramgen_curve:P-521' ED25519 X448; do
		# shellcheck disable=SC2086
		openssl genpkey -algorithm $kind -out k 2>/dev/null || exit 1
		[ "$kind" != X448 ] || continue
		head -c 1000 data >part
		openssl pkeyutl -sign -inkey k -rawin -in part -out signature &&
			openssl pkeyutl -verify -inkey k -rawin -in part -sigfile signature >/dev/null || { echo "$kind: no signature"; exit 1; }
	done
done
unset OPENSSL_ia32cap
openssl speed -seconds 1 -evp aes-256-gcm 2>/dev/null | tail -n 1
openssl speed -seconds 1 -multi 2 rsa2048 ecdsap256 2>/dev/null | tail -n 3
