#!/usr/bin/env bash
# Runs each fuzz target of the tree for the time given, and says which found something: fuzz.sh 1m
set -euo pipefail
time=${1:?usage: fuzz.sh TIME}

targets() {
	git grep -ohE '^func Fuzz[A-Za-z0-9]+' -- "$1/*_test.go" ":!$1/*/*" | sed 's/func //'
}

ran=0
found=()
for dir in $(git grep -lE '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u); do
	for target in $(targets "$dir"); do
		echo "== ./$dir $target"
		ran=$((ran + 1))
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "./$dir" </dev/null || found+=("./$dir $target")
	done
done
echo "$ran fuzz targets ran; ${#found[@]} found something"
for f in "${found[@]}"; do
	echo "  $f"
done
[ ${#found[@]} -eq 0 ]
