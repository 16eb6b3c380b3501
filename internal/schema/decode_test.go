package schema_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/internal/schema"
)

// plug is what a power driver of a device file may declare.
type plug struct {
	Host   string
	Port   int
	Places schema.Places
}

func (p *plug) Fields(f *schema.Fields) {
	p.Port = 80
	f.Places(&p.Places)
	f.Required("driver", schema.OneOf(new(string), "plug"), "The driver.")
	f.Required("host", schema.Some(&p.Host), "Where the plug is.")
	f.Optional("port", schema.Number(&p.Port, 1, 65535), "Its port.")
}

func ExampleDecode() {
	file, report := schema.Parse(
		[]byte("name: board\npower:\n  driver: plug\n  host: plug-1\n  prot: 8080\n"), schema.YAML11,
	)
	var p plug
	schema.Decode(file.Get("power"), "power", &p, schema.Strict, report)
	fmt.Println(p.Host, p.Port, p.Places["host"].Line)
	fmt.Println(report.Err())
	// Output:
	// plug-1 80 4
	// 5:3: power.prot: the key "prot" is not known here; did you mean "port"?
}

type shelf struct {
	A, B  string
	List  []plug
	Any   string
	Free  map[string]string
	Count int
}

func (s *shelf) Fields(f *schema.Fields) {
	f.Optional("a", schema.Text(&s.A), "")
	f.Optional("b", schema.Text(&s.B), "")
	f.Exclusive("a", "b")
	f.Optional("list", schema.Objects(&s.List), "")
	f.Optional("any", schema.Either("a word or a plug", schema.OneOf(&s.Any, "word"), schema.Sub(new(plug))), "")
	f.Optional("free", schema.MapOf(&s.Free, schema.Text), "")
	f.Optional("count", schema.Integer(&s.Count), "")
	f.Check(func(n *schema.Node) *schema.Fault {
		if s.Count == 13 {
			return &schema.Fault{Path: "count", At: n.Get("count"), Message: "is unlucky"}
		}
		return nil
	})
}

func TestOrderOfProblems(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		mode      schema.Mode
		want      []string
	}{
		{"exclusion comes alone", "{a: x, c: 1, b: y}", schema.Strict, []string{`1:14: b: "a" and "b" exclude each other`}},
		{"file's order, then what is missing", "{list: [{host: 1}], x: 1, a: 2}", schema.Strict, []string{
			`1:16: list[0].host: expected a string that is not empty, found integer 1`,
			`1:9: list[0].driver: the key "driver" is missing`,
			`1:21: x: the key "x" is not known here`,
			`1:30: a: expected a string, found integer 2`,
		}},
		{"what is wrong inside of an item comes first", "{list: [1, {driver: plug}]}", schema.Strict, []string{
			`1:12: list[1].host: the key "host" is missing`,
			`1:9: list[0]: expected a mapping, found integer 1`,
		}},
		{"the alternative that fits furthest speaks", "{any: {driver: plug, host: ''}}", schema.Strict, []string{
			`1:28: any.host: expected a string that is not empty, found string ""`,
		}},
		{"or all of them", "{any: [x]}", schema.Strict, []string{`1:7: any: expected a word or a plug, found list`}},
		{"free names are strings", "{free: {yes: a, b: 1}}", schema.Strict, []string{
			`1:9: free.yes: expected a string, found boolean yes`, `1:20: free.b: expected a string, found integer 1`,
		}},
		{"or let through", "{free: {yes: a, b: c}, x: 1}", schema.Lenient, nil},
		{"checks come last", "{count: 13}", schema.Strict, []string{`1:9: count: is unlucky`}},
		{"columns are runes", "{\"é\": 1, x: 2}", schema.Strict, []string{
			`1:2: é: the key "é" is not known here`, `1:10: x: the key "x" is not known here`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, r := schema.Parse([]byte(tt.src), schema.YAML11)
			schema.Decode(n, "", new(shelf), tt.mode, r)
			var got []string
			for _, p := range r.Errors {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestProblemsAreBounded(t *testing.T) {
	n, r := schema.Parse(
		[]byte("free: {"+strings.Repeat("a: 1, ", 10)+"}\nlist: ["+strings.Repeat("1, ", 100_000)+"]\n"), schema.YAML11,
	)
	schema.Decode(n, "", new(shelf), schema.Strict, r)
	if len(r.Errors) < 100 || len(r.Errors) > 1000 {
		t.Error(len(r.Errors))
	}
}

func TestDocumentShares(t *testing.T) {
	b, err := schema.Document("https://example.com/x.json", "x", new(shelf))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Defs map[string]any `json:"$defs"`
	}
	if err := json.Unmarshal(b, &doc); err != nil || len(doc.Defs) != 1 || strings.Count(string(b), `"$ref"`) != 2 {
		t.Errorf("%v\n%s", err, b)
	}
}
