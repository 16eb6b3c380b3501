package kernlog

import (
	"regexp"
	"strings"

	"github.com/ianlancetaylor/demangle"
)

var (
	// frameRE is a line of a stack trace: addresses, then function+offset/size. Rust's names have spaces and brackets.
	frameRE = regexp.MustCompile(
		`^ *(?:\[<?(?:0x)?[0-9a-f]+>?\] ){0,2}([A-Za-z0-9_.$]+|[<A-Za-z0-9_][^+?]*::[^+?]*)\+0x[0-9a-f]+`,
	)
	// armFrameRE is a line of 32-bit Arm's own unwinder, which names callee and caller.
	armFrameRE = regexp.MustCompile(
		`^ *(?:\[<[0-9a-f]+>\] \()?([A-Za-z0-9_.$]+)(?: \[\w+\])?\)? from ` +
			`(?:\[<[0-9a-f]+>\] \()?([A-Za-z0-9_.$]+)\+0x[0-9a-f]+`,
	)
	// guessRE is a frame that the unwinder only guesses: an address that it found on the stack.
	guessRE = regexp.MustCompile(` \? +[A-Za-z0-9_.]+\+0x[0-9a-f]+/`)
	// stackRE begins a stack trace, and so ends the one before.
	stackRE = regexp.MustCompile(`[Cc]all [Tt]race|Backtrace:|(?:Allocated|Freed)(?: by task \d+)?:` +
		`|[^k] backtrace(?: \(crc [0-9a-f]+\))?:|Uninit was stored to memory at` +
		`|status: [0-9a-f]{16} badaddr: [0-9a-f]{16} cause: [0-9a-f]{16}`)
	// injectedRE is fault injection's own stack, which gets mixed into others.
	injectedRE = regexp.MustCompile(`^ *(?:\[<?[0-9a-fx]+>?\] )?should_fail(?:slab)?(?:\.[a-z0-9.]+)?\+0x`)
)

// guessed reports whether a line is a frame that the unwinder guesses. Where an interrupt's stack meets the one below
// (<EOI>) guesses count.
func guessed(text string) bool {
	if strings.HasSuffix(text, "(unreliable)") {
		return true
	}
	return strings.Contains(text, " ? ") && guessRE.MatchString(text) && !strings.Contains(text, "<EOI>")
}

// frames returns the functions of a stack line, the candidates for a title in order.
func frames(text string) []string {
	if m := frameRE.FindStringSubmatch(text); m != nil {
		return []string{base(m[1])}
	}
	if strings.Contains(text, " from ") {
		if m := armFrameRE.FindStringSubmatch(text); m != nil {
			return []string{base(m[1]), base(m[2])}
		}
	}
	return nil
}

// base is a function's name without what compilers append: .cold, .isra.0, .part.3, .constprop.0.
func base(name string) string {
	if strings.Contains(name, "::") {
		return name
	}
	name, _, _ = strings.Cut(name, ".")
	return name
}

// readable is a Rust or C++ function's path instead of its symbol.
func readable(name string) string {
	if !strings.HasPrefix(name, "_R") && !strings.HasPrefix(name, "_Z") {
		return name
	}
	return demangle.Filter(name, demangle.NoParams)
}

// canonical is the name without the way into the kernel, which differs by architecture and version. The order matters:
// one prefix may stand behind another.
func canonical(name string) string {
	for _, p := range [...]string{
		"SYSC_", "SyS_", "sys_", "__x64_", "__ia32_", "__arm64_", "____sys_", "___sys_", "__sys_", "__se_", "__se_sys_",
		"__do_sys_", "compat_SYSC_", "compat_SyS_", "ksys_",
	} {
		name = strings.TrimPrefix(name, p)
	}
	return name
}

// words compiles what alternation makes of the lists.
func words(lists ...string) *regexp.Regexp { return regexp.MustCompile(alternation(lists...)) }

// alternation is the pattern of a list of function names: separated by space, each anywhere in the name, ^ and $ tie it
// to an end.
func alternation(lists ...string) string {
	var alternatives []string
	for w := range strings.FieldsSeq(strings.Join(lists, " ")) {
		begin, end := "", ""
		if rest, ok := strings.CutPrefix(w, "^"); ok {
			begin, w = "^", rest
		}
		if rest, ok := strings.CutSuffix(w, "$"); ok {
			end, w = "$", rest
		}
		alternatives = append(alternatives, begin+regexp.QuoteMeta(w)+end)
	}
	return strings.Join(alternatives, "|")
}

// pickFirst picks the top of the stack.
func pickFirst(stack []string) string { return stack[0] }

// pickStall picks the function below the first dispatcher: a stall's top is wherever the loop was when the clock
// struck, so what called the loop says more.
func pickStall(stack []string) string {
	below := stack[0]
	for _, f := range stack {
		if dispatchers.MatchString(f) {
			if strings.Contains(f, "smp_call_function") {
				return "smp_call_function"
			}
			return below
		}
		below = f
	}
	return ""
}

// pickHang picks what a hung task waits for. The usual locks have one title each; functions that only wait have none.
func pickHang(stack []string) string {
	for _, f := range stack {
		switch {
		case strings.Contains(f, "rtnl_lock"):
			return f
		case hangOnRCU.MatchString(f):
			return "synchronize_rcu"
		}
	}
	for _, f := range stack {
		if !waiting.MatchString(f) {
			return f
		}
	}
	return ""
}
