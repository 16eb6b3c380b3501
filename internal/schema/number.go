package schema

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// maxDigits bounds the quadratic cost of reading a number; Python's limit is 4300.
const maxDigits = 4300

func setBase(n *Node, digits string, base int) error {
	if len(digits) > maxDigits {
		return fmt.Errorf("an integer of %d digits is too long", len(digits))
	}
	i, ok := new(big.Int).SetString(digits, base)
	if !ok {
		return fmt.Errorf("%q is no integer", clip(n.Text, maxFound))
	}
	setBig(n, i)
	return nil
}

func setBig(n *Node, i *big.Int) {
	n.Kind = Int
	n.Float, _ = new(big.Float).SetInt(i).Float64()
	if n.Int = i.Int64(); !i.IsInt64() {
		n.Int, n.Big = 0, i
	}
}

// setInt reads PyYAML's integers: decimal, 0b, 0x, 0 for octal, and sexagesimal.
func setInt(n *Node) error {
	s := strings.ReplaceAll(n.Text, "_", "")
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, s = strings.TrimPrefix(s[:1], "+"), s[1:]
	}
	switch {
	case s == "0":
		return setBase(n, s, 10)
	case strings.HasPrefix(s, "0b"):
		return setBase(n, sign+s[2:], 2)
	case strings.HasPrefix(s, "0x"):
		return setBase(n, sign+s[2:], 16)
	case strings.HasPrefix(s, "0"):
		return setBase(n, sign+s, 8)
	case strings.Contains(s, ":"):
		return setSexagesimal(n, sign, s)
	}
	return setBase(n, sign+s, 10)
}

// maxParts bounds the quadratic cost of sexagesimal numbers.
const maxParts = 100

func setSexagesimal(n *Node, sign, s string) error {
	parts := strings.Split(s, ":")
	if len(parts) > maxParts || len(s) > maxDigits {
		return fmt.Errorf("a number of %d parts is too long", len(parts))
	}
	total := new(big.Int)
	for _, p := range parts {
		i, ok := new(big.Int).SetString(p, 10)
		if !ok {
			return fmt.Errorf("%q is no integer", clip(n.Text, maxFound))
		}
		total.Add(total.Mul(total, big.NewInt(60)), i)
	}
	if sign == "-" {
		total.Neg(total)
	}
	setBig(n, total)
	return nil
}

func setFloat(n *Node) error {
	s := strings.ToLower(strings.ReplaceAll(n.Text, "_", ""))
	n.Kind = Float
	if !strings.Contains(s, ":") {
		f, err := parseFloat(s)
		n.Float = f
		return err
	}
	sign := 1.0
	if s[0] == '-' {
		sign = -1
	}
	parts := strings.Split(strings.TrimLeft(s, "+-"), ":")
	if len(parts) > maxParts {
		return fmt.Errorf("a number of %d parts is too long", len(parts))
	}
	for _, p := range parts {
		f, err := parseFloat(p)
		if err != nil {
			return err
		}
		n.Float = n.Float*60 + f
	}
	n.Float *= sign
	return nil
}

func parseFloat(s string) (float64, error) {
	switch strings.TrimLeft(strings.ToLower(s), "+-") {
	case ".inf":
		if s[0] == '-' {
			return math.Inf(-1), nil
		}
		return math.Inf(1), nil
	case ".nan":
		return math.NaN(), nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && math.IsInf(f, 0) {
		return f, nil // out of range is infinite, as in Python
	}
	if err != nil {
		return 0, fmt.Errorf("%q is no number", clip(s, maxFound))
	}
	return f, nil
}

func setTime(n *Node) error {
	n.Kind = Time
	s := n.Text
	if dateRE.MatchString(s) {
		t, err := time.Parse(time.DateOnly, s)
		n.Time = t
		if err != nil {
			return fmt.Errorf("%q is no date", s)
		}
		return nil
	}
	m := timeRE.FindStringSubmatch(s)
	num := func(i int) int {
		v, err := strconv.Atoi(m[i])
		if err != nil {
			return 0 // an empty group
		}
		return v
	}
	zone := time.UTC
	if m[8] != "" {
		off := num(9)*3600 + num(10)*60
		if m[8] == "-" {
			off = -off
		}
		zone = time.FixedZone("", off)
	}
	frac := (m[7] + "000000")[:6]
	micro, err := strconv.Atoi(frac)
	if err != nil {
		return fmt.Errorf("%q is no time", s)
	}
	n.Time = time.Date(num(1), time.Month(num(2)), num(3), num(4), num(5), num(6), micro*1000, zone)
	if n.Time.Year() != num(1) || int(n.Time.Month()) != num(2) || n.Time.Day() != num(3) || n.Time.Hour() != num(4) ||
		n.Time.Minute() != num(5) || n.Time.Second() != num(6) {
		return fmt.Errorf("%q is no time", s)
	}
	return nil
}
