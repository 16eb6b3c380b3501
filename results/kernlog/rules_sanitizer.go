package kernlog

import "github.com/gantry-ci/gantry/results"

// sanitizerRules are mm/kasan, mm/kmsan, kernel/kcsan and mm/kfence.
func (w ways) sanitizerRules() []rule {
	return []rule{
		{
			kind: results.KindKASAN, head: expand(`BUG: KASAN: ([a-z-]+) in %F`),
			then:  expandAll(`(Read|Write) (?:of size|at addr) [0-9a-f]+`),
			title: "KASAN: $1 $3 in $F", walks: [][]step{{{expand(`BUG: KASAN: [a-z-]+ in %F`)}, w.calltrace, w.stack}},
			skip: words(`kernel_fault tag_check mem_abort ^el1_ ^el1h_`),
		},
		{
			kind: results.KindKASAN, head: expand(`BUG: KASAN: (?:double-free or invalid-free|double-free|invalid-free) in %F`),
			title: "KASAN: invalid-free in $F", skip: words(`slab_ kfree vunmap vfree`),
			walks: [][]step{{{expand(`BUG: KASAN: [a-z -]+ in %F`)}, w.calltrace, w.stack}},
		},
		{
			kind: results.KindKASAN, head: expand(`BUG: KASAN: ([a-z-]+) on address`),
			then:  expandAll(`(Read|Write) of size \d+`),
			title: "KASAN: $1 $2",
		},
		{kind: results.KindKASAN, head: expand(`BUG: KASAN: (.*)`), title: "KASAN: $1"},
		{
			kind: results.KindKMSAN, head: expand(`BUG: KMSAN: kernel-usb-infoleak in %F`),
			title: "KMSAN: kernel-usb-infoleak in $F",
			walks: [][]step{{w.stack}}, skip: words(`alloc_skb`, urbs),
		},
		{
			kind: results.KindKMSAN, head: expand(`BUG: KMSAN: ([a-z-]+) in %F`), title: "KMSAN: $1 in $F",
			walks: [][]step{{w.stack}},
			skip:  words(`alloc_skb netlink_ack netlink_rcv_skb _encrypt$ ^crypto_ ^cipher_ ^drbg_ ^rng_`),
		},
		{
			kind: results.KindKCSAN, head: expand(`BUG: KCSAN: (data-race in [^ ]+)(?: \[\w+\])?( / [^ ]+)`),
			title: "KCSAN: $1$2",
		},
		{kind: results.KindKCSAN, head: expand(`BUG: KCSAN: (data-race in [^ ]+)`), title: "KCSAN: $1"},
		{kind: results.KindKCSAN, head: expand(`BUG: KCSAN: (.*)`), title: "KCSAN: $1"},
		{
			kind: results.KindKFENCE, head: expand(`BUG: KFENCE: (use-after-free|out-of-bounds|invalid) (read|write) in %F`),
			title: "KFENCE: $1 $2 in $F", walks: w.byKFENCE,
		},
		{
			kind: results.KindKFENCE, head: expand(`BUG: KFENCE: (invalid free|memory corruption) in %F`),
			title: "KFENCE: $1 in $F",
			walks: w.byKFENCE,
		},
	}
}
