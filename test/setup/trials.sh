#!/usr/bin/env bash
# The long experiments: how much it takes, how fast it is, what becomes of it beside others. What they have shown is held
# by tests; they are for measuring again. trials.sh lists and runs all, trials.sh NAME runs one; ARGS is passed on.
set -euo pipefail
cd "$(dirname "$0")/../.."

# name: what it does: the command
list() {
	cat <<-'END'
		kill-app|SIGKILL the app at random moments of a run, then: one check run? completed? a QEMU left?|go run ./test/kill -n 50 app
		kill-runner|the same for the runner|go run ./test/kill -n 50 runner
		kill-intake|SIGKILL the app while webhooks come in|go test -count=1 -v -run ^TestKill$ ./app -kills 50
		lavaequal|the same jobs on LAVA's dispatcher (lava-dispatcher is installed, as root) and here, case by case|go test -count=1 -v -timeout 30m -run ^TestEqual$ ./test/lavaequal -lava
		noise|what becomes of results while the kernel talks into their lines, on LAVA's dispatcher and here|go test -count=1 -v -timeout 30m -run ^TestNoise$ ./test/lavaequal -lava
		sidebyside|the time of one job on gantry run, plain QEMU, and LAVA's dispatcher where it is installed|go run ./test/sidebyside -n 10
		latency|from a webhook to the assignment, with 1, 100 and 1000 runners connected|go test -run ^$ -bench . ./test/latency
		wire|assignments over HTTP|go test -run ^$ -bench . ./test/wire
		console|the matcher and a console under load|go test -run ^$ -bench . ./runner/console
		pexpect|the matcher beside a plain reader and pexpect|env GANTRY_BENCH=1 go test -count=1 -v -timeout 30m -run ^TestCompare$ ./runner/console
		flood|a gigabyte through a console, in bounded memory|env GANTRY_BENCH=1 go test -count=1 -v -timeout 30m -run ^TestBoundedMemory$ ./runner/console
		torture|a hundred thousand cuts into a test's output|go test -count=1 -v -timeout 30m -run ^TestTorture$ ./results/signal -cuts 100000
		clean-boots|nothing is found in the log of fifty boots where nothing is wrong|env GANTRY_CLEAN_BOOTS=50 go test -count=1 -v -timeout 30m -run ^TestCleanBoots$ ./runner
		load|all tests beside busy processes, ten times in a row|go run ./test/load -n 10 -- make test TESTFLAGS=-count=1
	END
}

only=${1:-}
found=
while IFS='|' read -r name what command; do
	[ -z "$only" ] && printf '%-12s %s\n' "$name" "$what"
	[ "$only" = "$name" ] && found=1
done < <(list)
if [ -n "$only" ] && [ -z "$found" ]; then
	echo "no trial is named \"$only\"; make trials lists them" >&2
	exit 2
fi

failed=0
while IFS='|' read -r name what command; do
	[ -z "$only" ] || [ "$only" = "$name" ] || continue
	printf '\n== %s: %s\n%s\n' "$name" "$what" "$command"
	# shellcheck disable=SC2086 # words
	$command ${ARGS:-} </dev/null || { failed=1; echo "== $name failed" >&2; }
done < <(list)
exit $failed
