package jobs_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
)

// Limits on reading the worst file of a mebibyte: what grows with more than its size passes them by far, whatever the
// machine does beside. The race detector quadruples what is allocated; without it, all of these take under a second.
const (
	maxTime  = 2 * time.Minute
	maxBytes = 8 << 30 // allocated over the whole reading, not at once
)

// fill repeats s to nearly the largest file.
func fill(s string) string { return strings.Repeat(s, (schema.MaxSize-1000)/len(s)) }

func TestHostileFiles(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'z'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 9), ", "))
	}
	merges := "a: &a {x0: 1}\n"
	for i := range 2000 {
		merges += fmt.Sprintf("b%d: &b%d {<<: *%s, x%d: 1}\n", i, i, map[bool]string{
			true: "a", false: fmt.Sprintf("b%d", i-1),
		}[i == 0], i+1)
	}
	var keys strings.Builder
	for i := 0; keys.Len() < schema.MaxSize-1000; i++ {
		fmt.Fprintf(&keys, "job_nam%d: x\n", i)
	}
	_, list, _ := strings.Cut(smoke, "actions:")
	list = "actions:" + strings.TrimSuffix(list, "\n")
	for name, src := range map[string]string{
		"one byte too large":  strings.Repeat("#", schema.MaxSize+1),
		"deep flow lists":     fill("["),
		"deep flow maps":      fill("{a: "),
		"deep block lists":    fill("- "),
		"deep block maps":     fill("? "),
		"alias bomb":          bomb,
		"merge chain":         merges,
		"unknown keys":        keys.String(),
		"one key":             fill("a: 1\n"),
		"short items":         "a: [" + fill("1,") + "1]",
		"quotes":              fill("'"),
		"anchors":             fill("- &a b\n"),
		"long scalar":         "job_name: " + fill("x"),
		"long number":         "job_name: " + fill("9"),
		"long sexagesimal":    "job_name: 1" + fill(":59"),
		"long float":          "job_name: 1." + fill("9"),
		"newlines":            fill("\n"),
		"comments":            fill("#\n"),
		"documents":           fill("---\n"),
		"tags":                fill("- !!str a\n"),
		"wrong actions":       "actions:\n" + fill("- deploy: {to: tmpfs, images: {x: {}}}\n"),
		"wrong definitions":   "actions:\n- test: {definitions: [" + fill("{from: x},") + "]}\n",
		"many actions":        strings.Replace(smoke, list, "actions:\n"+fill("- {boot: {method: qemu, prompts: [a]}}\n"), 1),
		"unclosed":            fill("[a, "),
		"tabs":                fill("\t"),
		"carriage returns":    fill("a:\r"),
		"null bytes":          fill("\x00"),
		"not UTF-8":           fill("\xff"),
		"UTF-16":              fill("a\x00"),
		"question marks":      fill("? a\n"),
		"long plain folds":    "a: " + fill("b\n "),
		"brackets in strings": fill("- '['\n"),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, r := jobs.ParseJob([]byte(src), schema.Strict)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if name != "many actions" && r.Valid() {
				t.Error("valid")
			}
			if took > maxTime || after.TotalAlloc-before.TotalAlloc > maxBytes {
				t.Errorf("took %s and %d bytes", took, after.TotalAlloc-before.TotalAlloc)
			}
			t.Logf(
				"%s, %d MB, %d problems: %.100s", took, (after.TotalAlloc-before.TotalAlloc)>>20, len(r.Errors),
				fmt.Sprint(r.Errors),
			)
		})
	}
}
