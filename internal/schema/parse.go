package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// Limits on hostile files.
const (
	MaxSize  = 1 << 20 // bytes; refused before parsing
	maxDepth = 100     // of nesting; real files have under 20
	maxNodes = 400_000 // with aliases expanded; 1 MiB without any holds fewer than 530,000 one-byte list items
	maxMerge = 10_000  // entries that merge keys bring in

	maxSimpleKey = 1024 // YAML 1.1's, for a key without ? in front
)

// Parse reads one document. Duplicate keys are warnings and the last value wins in YAML 1.1, as PyYAML has it; in YAML
// 1.2 they are errors. The node is nil when the report has errors that leave nothing to read.
func Parse(src []byte, v Version) (*Node, *Report) {
	r := new(Report)
	defer r.Place(src)
	if len(src) > MaxSize {
		r.fail(1, 1, fmt.Sprintf("the file is larger than %d bytes", MaxSize))
		return nil, r
	}
	if line, col, ok := badRune(src); ok {
		r.fail(line, col, "the file is not text in UTF-8: a control character, or bytes of another encoding")
		return nil, r
	}
	var doc yaml.Node
	limits := loaderlimits.New(loaderlimits.DepthValue(maxDepth), loaderlimits.AliasNone())
	loader, err := yaml.NewLoader(
		bytes.NewReader(anyMinor(src)), yaml.WithV4Defaults(), yaml.WithUniqueKeys(false), yaml.WithPlugin(limits),
	)
	if err == nil {
		err = loader.Load(&doc)
	}
	if errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0 {
		return &Node{Position: Position{1, 1}}, r // no document is null
	}
	if err != nil {
		r.syntax(err)
		return nil, r
	}
	var second yaml.Node
	if err := loader.Load(&second); err == nil {
		at := second.Content[0]
		r.fail(at.Line, at.Column, "a second document; expected a single one")
		return nil, r
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
		return nil, r
	}
	b := builder{
		report: r, version: v, done: map[*yaml.Node]*Node{}, anchors: map[string]*yaml.Node{},
		lines: bytes.Split(src, []byte("\n")),
	}
	n := b.node(doc.Content[0])
	if b.fatal {
		return nil, r
	}
	return n, r
}

func (r *Report) syntax(err error) {
	line, col, msg := 1, 1, err.Error()
	if le := (*yaml.LoadError)(nil); errors.As(err, &le) {
		msg = le.Message
		if le.ContextMsg != "" {
			msg = le.ContextMsg + ": " + msg
		}
		line, col = max(1, le.Mark.Line), max(1, le.Mark.Column)
	}
	r.fail(line, col, "not YAML: "+clip(msg, maxExcerpt))
}

// badRune finds what YAML's character set excludes.
func badRune(src []byte) (line, col int, bad bool) {
	line, col = 1, 1
	for i := 0; i < len(src); {
		c, n := utf8.DecodeRune(src[i:])
		switch {
		case c == utf8.RuneError && n == 1:
			return line, col, true
		case c == '\n':
			line, col = line+1, 0
		case c < 0x20 && c != '\t' && c != '\r', c == 0x7f, c > 0x7f && c < 0xa0 && c != 0x85, c == 0xfffe, c == 0xffff:
			return line, col, true
		}
		i, col = i+n, col+1
	}
	return 0, 0, false
}

// versionRE is a directive that PyYAML accepts, of any minor version.
var versionRE = regexp.MustCompile(`^(?:\x{FEFF})?(?:[#%][^\n]*\n|\s*\n)*?%YAML 1\.([0-9])`)

// anyMinor makes %YAML 1.x the version that the parser knows, in place.
func anyMinor(src []byte) []byte {
	if !bytes.Contains(src[:min(len(src), 1<<12)], []byte("%YAML")) {
		return src
	}
	m := versionRE.FindSubmatchIndex(src)
	if m == nil {
		return src
	}
	out := bytes.Clone(src)
	out[m[2]] = '1'
	return out
}
