package schema

import (
	"bytes"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"
)

// fail adds an error that is about the file as a whole.
func (r *Report) fail(line, column int, message string) {
	r.Errors = append(r.Errors, Problem{Line: line, Column: column, Message: message})
}

// keyless reports whether an entry has nothing before its :, which YAML 1.1 allows behind a ? only.
func (b *builder) keyless(k *yaml.Node) bool {
	if k.Kind != yaml.ScalarNode || k.Value != "" || k.Style != 0 || k.Anchor != "" {
		return false
	}
	before := b.before(k)
	rest := b.lines[min(len(b.lines), max(1, k.Line))-1]
	return !bytes.Contains(before, []byte("?")) && bytes.HasPrefix(rest[len(before):], []byte(":"))
}

// before is what stands before a node on its line.
func (b *builder) before(y *yaml.Node) []byte {
	if y.Line < 1 || y.Line > len(b.lines) {
		return nil
	}
	line := b.lines[y.Line-1]
	return line[:min(len(line), max(0, y.Column-1))]
}

// builder turns yaml's nodes into ours: scalars resolved, aliases followed, merges flattened, duplicates dropped.
type builder struct {
	report  *Report
	version Version
	lines   [][]byte
	anchors map[string]*yaml.Node
	done    map[*yaml.Node]*Node
	open    []*yaml.Node // anchored nodes being built
	nodes   int
	merged  int
	fatal   bool
}

func (b *builder) fail(y *yaml.Node, format string, a ...any) *Node {
	b.report.fail(y.Line, y.Column, fmt.Sprintf(format, a...))
	b.fatal = true
	return &Node{Position: Position{y.Line, y.Column}}
}

func (b *builder) node(y *yaml.Node) *Node {
	if b.fatal {
		return &Node{}
	}
	if b.nodes++; b.nodes > maxNodes {
		return b.fail(y, "more than %d values", maxNodes)
	}
	if y.Kind == yaml.AliasNode {
		return b.alias(y)
	}
	if y.Anchor != "" {
		if first := b.anchors[y.Anchor]; first != nil && b.version == YAML11 {
			return b.fail(y, "the anchor &%s is already on line %d", clip(y.Anchor, maxFound), first.Line)
		}
		b.anchors[y.Anchor] = y
		b.open = append(b.open, y)
		defer func() { b.open = b.open[:len(b.open)-1] }()
	}
	before := b.nodes
	n := &Node{Position: Position{y.Line, y.Column}}
	switch y.Kind {
	case yaml.SequenceNode:
		b.list(n, y)
	case yaml.MappingNode:
		b.mapping(n, y)
	default:
		b.scalar(n, y)
	}
	if y.Anchor != "" {
		n.weight = b.nodes - before + 1
		b.done[y] = n
	}
	return n
}

// alias follows an alias. What it stands for counts again, so that a file cannot keep its readers busy for ever.
func (b *builder) alias(y *yaml.Node) *Node {
	if slices.Contains(b.open, y.Alias) {
		return b.fail(y, "the alias *%s stands inside of what it stands for", clip(y.Value, maxFound))
	}
	n := b.done[y.Alias]
	if n == nil {
		return b.node(y.Alias)
	}
	if b.nodes += n.weight; b.nodes > maxNodes {
		return b.fail(y, "aliases expand to more than %d values", maxNodes)
	}
	return n
}

func (b *builder) list(n *Node, y *yaml.Node) {
	n.Kind = List
	if y.Style&yaml.TaggedStyle != 0 && y.Tag != "!!seq" {
		b.fail(y, "the tag %s is not known here", clip(y.Tag, maxFound))
		return
	}
	n.Items = make([]*Node, len(y.Content))
	for i, c := range y.Content {
		if y.Style&yaml.FlowStyle == 0 && b.version == YAML11 && bytes.Contains(b.before(c), []byte("-\t")) {
			b.fail(c, "a tab stands after the -; YAML 1.1 wants spaces there")
			return
		}
		n.Items[i] = b.node(c)
	}
}

func (b *builder) mapping(n *Node, y *yaml.Node) {
	n.Kind = Map
	if y.Style&yaml.TaggedStyle != 0 && y.Tag != "!!map" {
		b.fail(y, "the tag %s is not known here", clip(y.Tag, maxFound))
		return
	}
	entries := make([]Entry, 0, len(y.Content)/2)
	var merged []Entry
	for i := 0; i+1 < len(y.Content); i += 2 {
		k, v := y.Content[i], y.Content[i+1]
		if b.version == YAML11 && isMerge(k) {
			merged = append(merged, b.merge(v)...)
			continue
		}
		if len(k.Value) > maxSimpleKey && b.version == YAML11 &&
			!bytes.HasSuffix(bytes.TrimRight(b.before(k), " \t"), []byte("?")) {
			b.fail(k, "a key of more than %d characters needs a ? in front", maxSimpleKey)
			return
		}
		if b.version == YAML11 && b.keyless(k) {
			b.fail(k, "there is no key before the :")
			return
		}
		key := b.node(k)
		if key.Kind == List || key.Kind == Map {
			b.fail(k, "a %s cannot be a key", key.Kind)
			return
		}
		key = &Node{
			Position: Position{k.Line, k.Column}, Kind: key.Kind, Text: key.Text, Bool: key.Bool, Int: key.Int, Big: key.Big,
			Float: key.Float, Time: key.Time,
		}
		entries = append(entries, Entry{Key: key, Value: b.node(v), own: true})
	}
	n.Entries = b.unique(append(merged, entries...))
}

func isMerge(k *yaml.Node) bool {
	const marked = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle |
		yaml.TaggedStyle
	plain := k.Style&marked == 0
	return k.Kind == yaml.ScalarNode && (plain && k.Value == "<<" || k.Tag == "!!merge")
}

// merge is what a << key brings in, in PyYAML's order: of a list, the last mapping first.
func (b *builder) merge(v *yaml.Node) []Entry {
	src := v
	if v.Kind == yaml.AliasNode {
		src = v.Alias
	}
	var maps []*yaml.Node
	switch src.Kind {
	case yaml.MappingNode:
		maps = []*yaml.Node{v}
	case yaml.SequenceNode:
		maps = slices.Clone(src.Content)
		slices.Reverse(maps)
	default:
		b.fail(v, "<< needs a mapping, or a list of them")
		return nil
	}
	var out []Entry
	for _, m := range maps {
		n := b.node(m)
		if n.Kind != Map && !b.fatal {
			b.fail(m, "<< needs a mapping, found %s", n.describe())
		}
		if b.merged += len(n.Entries); b.merged > maxMerge {
			b.fail(v, "<< brings in more than %d keys", maxMerge)
			return nil
		}
		for _, e := range n.Entries {
			out = append(out, Entry{Key: e.Key, Value: e.Value})
		}
	}
	return out
}

// unique keeps the first place and the last value of each key, as a Python dict does.
func (b *builder) unique(entries []Entry) []Entry {
	seen := make(map[string]int, len(entries))
	out := entries[:0]
	for _, e := range entries {
		id := e.Key.identity()
		at, dup := seen[id]
		if !dup {
			seen[id] = len(out)
			out = append(out, e)
			continue
		}
		if out[at].own && e.own {
			b.duplicate(e.Key, out[at].Key)
		}
		if e.Key.Text != out[at].Key.Text {
			e.Key = out[at].Key // 1 and 1.0 are one key: the first stays
		}
		out[at] = e
	}
	return out
}

func (b *builder) duplicate(again, first *Node) {
	if len(b.report.Warnings)+len(b.report.Errors) >= maxProblems {
		return
	}
	p := Problem{
		Line: again.Line, Column: again.Column, Path: again.Text,
		Found: fmt.Sprintf("key %q twice", clip(again.Text, maxFound)),
	}
	if b.version == YAML12 {
		p.Message = fmt.Sprintf("the key %q is already on line %d", clip(again.Text, maxFound), first.Line)
		b.report.Errors = append(b.report.Errors, p)
		return
	}
	p.Message = fmt.Sprintf(
		"the key %q is already on line %d; this value, the last one, counts", clip(again.Text, maxFound), first.Line,
	)
	b.report.Warnings = append(b.report.Warnings, p)
}

func (b *builder) scalar(n *Node, y *yaml.Node) {
	n.Text, n.Kind = y.Value, String
	var err error
	switch {
	case y.Tag == "!" && y.Value == "":
	case y.Style&yaml.TaggedStyle != 0:
		err = tagged(n, y.Tag, b.version)
	case y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0:
		err = resolve(n, b.version)
	}
	if err != nil {
		b.fail(y, "%v", err)
	}
}
