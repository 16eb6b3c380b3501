package schema

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pyRead reads each line of its input, a JSON string, as YAML, and prints what it is, with types.
const pyRead = `
import sys, json, yaml, datetime
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
def enc(o):
    if o is None: return ["null"]
    if isinstance(o, bool): return ["bool", o]
    if isinstance(o, int): return ["int", hex(o)]
    if isinstance(o, float): return ["float", "nan" if o != o else o.hex() if abs(o) != float("inf") else str(o)]
    if isinstance(o, str): return ["str", o]
    if isinstance(o, bytes): return ["bytes", o.hex()]
    if isinstance(o, list): return ["list"] + [enc(x) for x in o]
    if isinstance(o, dict): return ["map"] + [[enc(k), enc(v)] for k, v in o.items()]
    if isinstance(o, datetime.datetime):
        if o.tzinfo: o = o.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return ["time", o.strftime("%Y-%m-%dT%H:%M:%S.%f")]
    if isinstance(o, datetime.date): return ["time", o.strftime("%Y-%m-%dT00:00:00.000000")]
    return ["?", repr(type(o))]
for line in sys.stdin:
    src = json.loads(line)
    try:
        out = enc(yaml.load(src.encode(), Loader=Loader))
    except RecursionError:
        out = ["error"]
    except Exception as e:
        out = ["error"]
    print(json.dumps(out))
`

// python reads the sources with the real PyYAML.
func python(t *testing.T, sources []string) []any {
	t.Helper()
	if err := exec.CommandContext(t.Context(), "python3", "-c", "import yaml").Run(); err != nil {
		t.Skip("python3 with PyYAML is not here: ", err)
	}
	var in bytes.Buffer
	for _, s := range sources {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		in.Write(append(b, '\n'))
	}
	cmd := exec.CommandContext(t.Context(), "python3", "-c", pyRead)
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []any
	for line := range strings.Lines(string(out)) {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

// encode is a node as pyRead prints it.
func encode(n *Node) any {
	switch n.Kind {
	case Null:
		return []any{"null"}
	case Bool:
		return []any{"bool", n.Bool}
	case Int:
		if n.Big != nil {
			return []any{"int", strings.Replace(fmt.Sprintf("0x%x", n.Big), "0x-", "-0x", 1)}
		}
		return []any{"int", strings.Replace(fmt.Sprintf("0x%x", n.Int), "0x-", "-0x", 1)}
	case Float:
		return []any{"float", pyHex(n.Float)}
	case String:
		return []any{"str", n.Text}
	case Binary:
		return []any{"bytes", hex.EncodeToString([]byte(n.Text))}
	case Time:
		return []any{"time", n.Time.In(time.UTC).Format("2006-01-02T15:04:05.000000")}
	case List:
		out := []any{"list"}
		for _, x := range n.Items {
			out = append(out, encode(x))
		}
		return out
	default:
		out := []any{"map"}
		for _, e := range n.Entries {
			out = append(out, []any{encode(e.Key), encode(e.Value)})
		}
		return out
	}
}

// pyHex is Python's float.hex.
func pyHex(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case f == 0:
		return map[bool]string{true: "-0x0.0p+0", false: "0x0.0p+0"}[math.Signbit(f)]
	}
	bits := math.Float64bits(f)
	sign := ""
	if bits>>63 == 1 {
		sign = "-"
	}
	exp, frac, lead := int(bits>>52&0x7ff)-1023, bits&(1<<52-1), 1
	if exp == -1023 {
		exp, lead = -1022, 0
	}
	return fmt.Sprintf("%s0x%d.%013xp%+d", sign, lead, frac, exp)
}

func compareAll(t *testing.T, sources []string) {
	t.Helper()
	for i, want := range python(t, sources) {
		n, r := Parse([]byte(sources[i]), YAML11)
		got := any([]any{"error"})
		if r.Valid() {
			got = encode(n)
		}
		b, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if w, err := json.Marshal(want); err != nil || !bytes.Equal(w, b) {
			t.Errorf("%.200q: PyYAML %.300s, here %.300s %v", sources[i], w, b, r.Err())
		}
	}
}

func TestScalarsAsPyYAML(t *testing.T) {
	words := strings.Fields(`yes Yes YES yEs no No NO true True TRUE tRue false on On ON off Off OFF y Y n N
		~ null Null NULL nUll none = << -
		0 -0 +0 1 -1 +12 1_000 _1 1__0 0_ 00 007 08 09 0o7 0b101 -0b1 0b2 0b 0x1F -0xff 0x 0xG 0x_ 0b_
		123456789012345678901234567890 -9223372036854775808 9223372036854775807 9223372036854775808
		1:30 12:30:45 -1:30 1:60 1:59 0:10 10:00 190:20:30 1:2:3:4 +1:01 1_0:2_0 1:5 01:30
		1.0 .5 5. 1.5e3 1.5e+3 1.5E-3 1e3 1e+3 1.e+3 .e+3 . .. ._ -.5 +.5 -1.5 1_0.5 1.5_0 12:30:45.5 -12:30.25 190:20:30.15
		.inf -.inf +.Inf .INF .iNF .nan .NaN .NAN -.nan 1.5e+400
		2001-12-14 2001-1-2 2001-13-01 2001-02-30 2001-12-14t21:59:43.10-05:00
		2001-12-15T02:59:43.1Z 2001-12-14T25:00:00 9999-12-31 2001-12-14T21:59:43.1234567Z 2001-12-14T21:59:43-5
		!!str !!null a:b a# #a @x %x *x &x ? ! | > 'x' "x" 'a''b' "a\tb" "\x41" "\u00e9" "\z" -a -- ---
		?a :a ,a a, [a] {a} {a:1} {a: [a a]`)
	words = append(words, "", " ", "2001-12-14 21:59:43.10 -5", "2001-12-15 2:59:43.10", "2001-12-14 21:59:43",
		"2001-12-14  21:59:43 +05:30", "a b", "a: b: c", "- a\n- b", "? a\n: b", "? [a]\n: b", "[a, b]: c", "{a: 1}: 2",
		"!!int '12'", "!!int 0x10", "!!int abc", "!!float 1", "!!float abc", "!!bool yes", "!!bool 'on'", "!!bool maybe",
		"!!str 12", "!!str yes", "!!null x", "!!binary aGVsbG8=", "!!timestamp 2001-01-01", "!!timestamp x",
		"!foo bar", "!!python/object:os.system x", "! 12", "!!seq [a]", "!!map {a: 1}", "!!map [a]", "!!seq {a: 1}",
		"!!str [a]", "!!str {a: 1}", "!!int [1]",
	)
	sources := make([]string, 0, 2*len(words))
	for _, w := range words {
		sources = append(sources, w, "k: "+w)
	}
	compareAll(t, sources)
}

func TestDocumentsAsPyYAML(t *testing.T) {
	compareAll(t, []string{
		"a: 1\na: 2\nb: 3\na: 4\n",
		"1: a\n1.0: b\ntrue: c\n",
		"a: 1\r\nb: [1,\r\n 2]\r\n",
		"a: |\r\n  x\r\n  y\r\nb: 1\r\n",
		"a: 1\rb: 2\r",
		"\ufeffa: 1\n",
		"a: \ufeff1\n",
		"\ta: 1\n",
		"a:\t1\n",
		"a:\n\tb: 1\n",
		"a: [1,\t2]\n",
		"a:\n  - b\n\t- c\n",
		"- a\n-\tb\n",
		"a: b\t# comment\n",
		"a: {b:\t1}\n",
		"a: 'x\ty'\n",
		"--- a\n--- b\n", "a: 1\n---\nb: 2\n", "---\na: 1\n...\n", "---\n---\n", "a: 1\n...\ngarbage: [\n",
		"%YAML 1.1\n---\na: 1\n", "%YAML 1.2\n---\na: yes\n", "%YAML 3.0\n---\na: 1\n", "%FOO bar\n---\na: 1\n",
		"%TAG ! tag:x,1:\n---\na: !b c\n",
		"a: &x {b: 1}\nc: *x\n", "a: *x\n", "a: &x 1\nb: &x 2\nc: *x\n", "a: &x [*x]\n",
		"base: &b {x: 1, y: 2}\nd: {<<: *b, y: 3}\n",
		"base: &b {x: 1, y: 2}\nd: {y: 3, <<: *b}\n",
		"a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b], z: 3}\n",
		"a: &a {x: 1}\nb: {<<: *a, <<: {y: 2}}\n",
		"b: {<<: 1}\n", "b: {<<: [1]}\n", "b: {'<<': {x: 1}}\n", "b: {<<: {x: 1, <<: {y: 2}}, w: 0}\n", "b: {! <<: {x: 1}}\n",
		"b: {!!merge <<: {x: 1}}\n",
		"a: 'it''s'\nb: \"q\\\"\\\\\\n\\e\\0\"\n", "a: \"x\n  y\n\n  z\"\n", "a: x\n  y\n\n  z\n",
		"a: |\n  x\n   y\n\n\nb: >-\n  p\n  q\n\n  r\nc: |+\n  k\n\n", "a: |2\n   x\n", "a: |0\n x\n",
		"a: b: c\n", "a\nb\n", "a: [1, 2\n", "a: {b: 1\n", "a: 'x\n", "a: \"\\x4\"\n", "- a\nb: c\n", "a: 1\n b: 2\n",
		"a:\n- 1\n- 2\nb: 3\n", "a: - b\n", "key with spaces: value with: colon\n", "a: b #c\nd: e#f\n",
		"?\n: x\n", ": a\n", "a: 1\n: b\n", "a:\n  : b\n", "- : b\n", "{: b}\n", "{a: b, : c}\n", "[: a]\n", "[a, : b]\n",
		"{? : b}\n", "? \n: b\n", "'': b\n", "? a\n? b\n", "[a, , b]\n", "[a, b, ]\n", "{a, b: , c: d}\n", "{a: b, a: c}\n",
		"{\"a\":1}\n", "{a:1}\n", "[a:1]\n", "[a: 1, b]\n", "{? a : b}\n",
		"a: \u00e9\u4e2d\U0001f600\n", "a: \u0085b\n", "a: x\u2028y\n", "a: \x00\n", "a: \x07\n", "a: \x7f\n", "a: \u0080\n",
		"a: \ud7ff\ue000\ufffd\n", "a: \ufffe\n",
		strings.Repeat("[", 90) + strings.Repeat("]", 90), "a: @b\n", "a: `b`\n", "a: %b\n", "a: >\n\n  x\n\n\n",
		"#only a comment\n", "a: 1 #\n#\n", "\n\n\n", "a: !!str\nb: !!int\n", "- - - a\n    - b\n",
		"a: &anchor\nb: *anchor\n", "&a b: *a\n", "*a : b\n",
		strings.Repeat("k", 1100) + ": v\n", "? " + strings.Repeat("k", 1100) + "\n: v\n",
		"{" + strings.Repeat("k", 1100) + ": v}\n",
	})
}

func TestCorpusAsPyYAML(t *testing.T) {
	var sources []string
	for _, glob := range []string{"lava/jobs/*", "tuxlava/jobs/*", "lava/devices/*", "mutated/*.yaml"} {
		files, err := filepath.Glob(filepath.Join("../../../shared/corpus", glob))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			sources = append(sources, string(b))
		}
	}
	if len(sources) == 0 {
		t.Skip("the corpus is not beside the checkout")
	}
	compareAll(t, sources)
}
