// Package lavaequal runs the same jobs on LAVA's own dispatcher and on gantry, and holds their results against each
// other, case by case. What may differ is listed with its reason, and with who is right; anything else fails, and so
// does what is listed and does not come. TestNoise measures what becomes of results when chance has the kernel cut
// their lines. The tables are printed by
//
//	go test -v -timeout 20m ./test/lavaequal
//	GANTRY_BENCH=1 go test -v -run TestNoise ./test/lavaequal
package lavaequal
