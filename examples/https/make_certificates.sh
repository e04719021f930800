#!/bin/sh
# An authority of one's own, and a certificate for localhost that it signed: for trying server.mjs and client.mjs.
# Writes ca.pem, which clients trust, and key.pem and cert.pem, which the server shows, into a folder.
#   sh examples/https/make_certificates.sh [folder]     default: certificates
set -e
mkdir -p "${1:-certificates}"
cd "${1:-certificates}"
umask 077 # the keys are nobody else's

curve='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
openssl req -x509 $curve -keyout ca-key.pem -out ca.pem -days 30 -subj '/CN=An authority for trying things out'
openssl req -new $curve -keyout key.pem -out request.pem -subj /CN=localhost
echo 'subjectAltName = DNS:localhost, IP:127.0.0.1' >names.txt
openssl x509 -req -in request.pem -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 30 -extfile names.txt -out cert.pem
rm -f request.pem names.txt ca.srl
echo "wrote ca.pem, key.pem and cert.pem into $(pwd)"
