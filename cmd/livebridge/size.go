package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/units"
)

// size is a positive number of bytes, written with a binary unit (64KiB) or without (65536).
type size int64

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *size) UnmarshalText(text []byte) error {
	written := strings.ReplaceAll(string(text), " ", "")
	if strings.Trim(written, "0123456789") == "" {
		written += "B"
	}
	n, err := units.ParseStrictBytes(written)
	if err != nil || n <= 0 {
		return fmt.Errorf("invalid size %q: use a number of bytes, or a number with KiB, MiB, GiB or TiB", text)
	}
	*s = size(n)
	return nil
}

// String returns the size with binary units.
func (s size) String() string { return units.Base2Bytes(s).String() }
