#!/usr/bin/env bash
# Runs each fuzz target of the tree for the time given: fuzz.sh 1m
set -euo pipefail
time=${1:?usage: fuzz.sh TIME}
grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r dir; do
	grep -hoE '^func Fuzz[A-Za-z0-9]+' "$dir"/*_test.go | sed 's/func //' | while read -r target; do
		echo "== $dir $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$dir" </dev/null
	done
done
