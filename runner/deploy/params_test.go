package deploy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/runner/overlay"
)

// TestParam holds values of parameters against what Debian's lava-dispatcher 2023.01 and PyYAML 6.0 make of them
// (test/lavaequal runs some on both).
func TestParam(t *testing.T) {
	for _, tt := range [][2]string{
		{"true", "True"},
		{"yes", "True"},
		{"off", ""},
		{"'off'", "off"},
		{"null", ""},
		{"~", ""},
		{`""`, ""},
		{`" a "`, " a "},
		{"0", ""},
		{"'0'", "0"},
		{"7", "7"},
		{"-7", "-7"},
		{"0644", "420"},
		{"0x1F", "31"},
		{"1_000", "1000"},
		{"1:30", "90"},
		{"123456789012345678901234567890", "123456789012345678901234567890"},
		{"0.0", ""},
		{"1.50", "1.5"},
		{"7.0", "7.0"},
		{"1e3", "1e3"},
		{"1.0e+3", "1000.0"},
		{"1.0e+20", "1e+20"},
		{"1.0e+16", "1e+16"},
		{"123456789012345.5", "123456789012345.5"},
		{"0.0001", "0.0001"},
		{"0.00001", "1e-05"},
		{".inf", "inf"},
		{"-.inf", "-inf"},
		{".nan", "nan"},
		{"2024-02-29", "2024-02-29"},
		{"[]", ""},
		{"{}", ""},
		{"[a, 1, null, false, 0]", "[a, 1, None, False, 0]"},
		{"{k: v, 1: [x]}", "{k: v, 1: [x]}"},
	} {
		n, r := schema.Parse([]byte(tt[0]), schema.YAML11)
		if !r.Valid() {
			t.Errorf("%s: %v", tt[0], r.Err())
			continue
		}
		if got := param(n); got != tt[1] {
			t.Errorf("%s: %q, want %q", tt[0], got, tt[1])
		}
	}
}

func TestEnvironment(t *testing.T) {
	n, r := schema.Parse(
		[]byte("{flag: true, 'off': false, number: 007, text: 'a b', none: null, list: [x, {k: v}]}"), schema.YAML11,
	)
	if !r.Valid() {
		t.Fatal(r.Err())
	}
	want := []overlay.Var{
		{Name: "E_flag", Value: "1"},
		{Name: "E_off", Value: "0"},
		{Name: "E_number", Value: "7"},
		{Name: "E_text", Value: "a b"},
		{Name: "E_none"},
		{Name: "E_list_0", Value: "x"},
		{Name: "E_list_1_k", Value: "v"},
	}
	if d := cmp.Diff(want, environment("E", n)); d != "" {
		t.Error(d)
	}
}
