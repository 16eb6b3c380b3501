package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// cronFields are the limits of a cron expression's fields, and the names they may use.
func cronFields() []cronField {
	return []cronField{
		{"minute", 0, 59, nil},
		{"hour", 0, 23, nil},
		{"day of the month", 1, 31, nil},
		{"month", 1, 12, []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
		{"day of the week", 0, 6, []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
	}
}

type cronField struct {
	name      string
	low, high int
	names     []string
}

// checkCron accepts POSIX cron as GitHub does: five fields of *, numbers, names, ranges, steps and lists.
func checkCron(s string) error {
	parts := strings.Fields(s)
	if len(parts) != 5 {
		return fmt.Errorf("it has %d fields, not 5", len(parts))
	}
	for i, f := range cronFields() {
		for item := range strings.SplitSeq(parts[i], ",") {
			if err := f.check(item); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
		}
	}
	return nil
}

func (f cronField) check(item string) error {
	span, step, stepped := strings.Cut(item, "/")
	if stepped {
		if n, err := strconv.Atoi(step); err != nil || n < 1 || n > f.high {
			return fmt.Errorf("%q is no step", step)
		}
	}
	if span == "*" {
		return nil
	}
	from, to, ranged := strings.Cut(span, "-")
	low, err := f.value(from)
	if err != nil || !ranged {
		return err
	}
	high, err := f.value(to)
	if err == nil && high < low {
		return errors.New("the range goes backwards")
	}
	return err
}

func (f cronField) value(s string) (int, error) {
	if i := slices.Index(f.names, strings.ToLower(s)); i >= 0 {
		return f.low + i, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < f.low || n > f.high {
		return 0, fmt.Errorf("%q is not between %d and %d", s, f.low, f.high)
	}
	return n, nil
}
