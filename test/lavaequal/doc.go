// Package lavaequal runs the same jobs on LAVA's own dispatcher and on gantry, and holds their results against each other,
// case by case. What may differ is listed with its reason; anything else fails. The table is printed by
//
//	go test -v ./test/lavaequal
package lavaequal
