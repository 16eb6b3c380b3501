// Package lavaequal runs the same jobs on LAVA's own dispatcher and on gantry, and holds their results against each
// other, case by case. What may differ is listed with its reason, and with who is right; anything else fails, and so
// does what is listed and does not come. What LAVA's dispatcher gives is recorded in testdata/lava, so that it need not
// run each time. These run it, and print the tables; TestNoise measures what becomes of results when chance has the
// kernel cut their lines:
//
//	make trials TRIAL=lavaequal
//	make trials TRIAL=lavaequal ARGS=-record
//	make trials TRIAL=noise
package lavaequal
