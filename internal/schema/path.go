package schema

import (
	"strconv"
	"strings"
)

// path is where the decoder is; elements share their parents.
type path struct {
	up    *path
	key   string
	index int // when key is ""
	depth int
	named *Node // the key in the file, if it is there
}

func (p *path) child(key string) *path { return &path{up: p, key: key, depth: p.len() + 1} }

func (p *path) entry(key *Node) *path {
	return &path{up: p, key: key.Text, depth: p.len() + 1, named: key}
}

func (p *path) item(i int) *path { return &path{up: p, index: i, depth: p.len() + 1} }

func (p *path) len() int {
	if p == nil {
		return 0
	}
	return p.depth
}

func (p *path) String() string {
	var b strings.Builder
	p.write(&b)
	return b.String()
}

func (p *path) write(b *strings.Builder) {
	if p == nil {
		return
	}
	p.up.write(b)
	if p.key == "" {
		b.WriteString("[" + strconv.Itoa(p.index) + "]")
		return
	}
	if b.Len() > 0 {
		b.WriteByte('.')
	}
	b.WriteString(clip(p.key, maxFound))
}
