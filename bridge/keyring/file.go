package keyring

import (
	"fmt"
	"os"

	"livebridge/bridge"
	"livebridge/bridge/filewatch"
	"livebridge/bridge/signature"
)

// File is one file of keys.
type File struct {
	Setting string // the name of the setting that its path comes from
	Path    string
	Kind    bridge.Kind // whose keys it holds, one a line; 0: rules in YAML, a KEYS_FILE
}

// reading is what a file said, or why it could not be read.
type reading struct{ content, failure string }

func (f File) read() reading {
	content, err := filewatch.Read(f.Path)
	if err != nil {
		return reading{failure: err.Error()}
	}
	return reading{content: string(content)}
}

// enter puts the keys of a reading into cfg. The error names the setting, the file and, in rules, the line.
func (f File) enter(cfg *signature.Config, r reading) error {
	if r.failure != "" {
		return fmt.Errorf("%s: %s", f.Setting, r.failure)
	}
	alone, err := f.parse([]byte(r.content))
	if err == nil {
		_, err = signature.NewRing(alone)
	}
	if err != nil {
		return signature.At(f.Setting+": "+f.Path, err)
	}
	switch f.Kind {
	case bridge.KindStream:
		cfg.Stream = alone.Stream
	case bridge.KindRecord:
		cfg.Record = alone.Record
	case bridge.KindRTCRecord:
		cfg.RTC = alone.RTC
	default:
		cfg.Rules = alone.Rules
	}
	return nil
}

// parse returns a configuration with the keys of this file alone.
func (f File) parse(content []byte) (cfg signature.Config, err error) {
	switch f.Kind {
	case bridge.KindStream:
		cfg.Stream, err = ParseList(content)
	case bridge.KindRecord:
		cfg.Record, err = ParseList(content)
	case bridge.KindRTCRecord:
		cfg.RTC, err = ParseList(content)
	default:
		cfg.Rules, err = ParseRules(content)
	}
	return cfg, err
}

// Exposed reports whether everybody on the machine may read the file. A file that cannot be looked at is not.
func Exposed(path string) bool {
	const others = 0o004
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&others != 0
}
