#!/bin/sh
# The case studies with visible output: what a granted tool does, what a refused one is told, what stops a runaway one, and what an
# edited ledger looks like. Arguments: the program, and the folder of built guests.
set -eu
program=$(realpath "$1")
guests=$(realpath "$2")
world=$(mktemp -d)
trap 'rm -rf "$world"' EXIT
cd "$world"
ln -s "$program" customs
ln -s "$guests"/*.wasm .
ln -s "$guests"/hostile/spin.wasm spin.wasm
mkdir data
printf 'The harbour opens at six.\nCustoms is on the left.\n' >data/harbour.md
printf 'top-secret\n' >data/secret.txt

step=0
say() {
    step=$((step + 1))
    printf '\n%s. %s\n' "$step" "$1"
}

# Shows a command, runs it, and insists on its exit code.
show() {
    expected=$1
    shift
    printf '$ customs'
    for word in "$@"; do
        case $word in
            *[!A-Za-z0-9_./:=@,*-]*) printf " '%s'" "$word" ;;
            *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
    status=0
    ./customs "$@" 2>&1 || status=$?
    if [ "$status" -ne "$expected" ]; then
        echo "demo: expected exit code $expected, got $status" >&2
        exit 1
    fi
}

say 'What a tool offers, and what it may use. Nothing of it runs.'
show 0 inspect notes.wasm

say 'A granted read, typed in and out.'
show 0 run notes.wasm read-note --arg path=/data/harbour.md --allow-read=./data

say 'The same tool asks for /etc/passwd: refused, recorded, and the grant that would allow it.'
show 1 run notes.wasm read-note --arg path=/etc/passwd --allow-read=./data --ledger run.jsonl

say 'The ledger is whole. One edited letter is found.'
show 0 verify run.jsonl
sed -i s#/etc/passwd#/etc/hostname# run.jsonl
show 1 verify run.jsonl

say 'A tool that never ends is stopped.'
show 3 run spin.wasm --timeout 1s

say 'Case study: a benign tool, with what it needs and no more.'
show 0 run benign-tool.wasm --env USER_INPUT=hello

say 'Case study: a tool that puts a secret into the prompt. The run names what it was given and where its output went.'
API_KEY=shh-secret show 0 run evil-prompt-tool.wasm --allow-env=API_KEY --env FILE_TO_READ=secret.txt --allow-read=./data

say 'Case study: a tool that hides the name of the file it wants. The attempt is seen whatever the tool says.'
show 0 run fs-violation.wasm --fail-on limit

say 'Case study: a secret in a typed return, in six disguises. Every byte that crossed is recorded.'
for mode in plain split base64 truncate meta_path noise; do
    show 0 run tool-return-microbench.wasm --env "MODE=$mode" --env API_KEY=SEKRET_0123456789abcdef0123456789abcdef
done

say 'From the gallery: a question to a table, and the same tool asked for a table that is none of its business.'
printf 'city,product,price\nBern,bell,9.90\nBasel,lamp,24.50\nBern,lamp,24.50\n' >data/sales.csv
show 0 run query.wasm summarize --allow-read=./data \
    --args '{"path":"/data/sales.csv","measures":[{"function":"count"},{"function":"sum","column":"price"}],"group-by":["city"]}'
show 1 run query.wasm describe --arg path=/etc/passwd --arg format=csv --allow-read=./data

say 'From the gallery: a reader of web pages. Nothing is looked up, and nobody is asked, before it is granted.'
show 1 run readable.wasm --arg url=https://example.com/ --allow-net=https://www.example.com

say 'Which grant decides, and why.'
show 0 why --read /data/harbour.md --allow-read=./data
show 1 why --read /data/secret.txt --allow-read=./data --deny-read=./data/secret.txt

printf '\ndemo: all as expected\n'
