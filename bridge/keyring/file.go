package keyring

import (
	"errors"
	"os"
	"strings"

	"livebridge/bridge"
	"livebridge/bridge/filewatch"
	"livebridge/bridge/signature"
)

// File is one file of keys.
type File struct {
	Setting string // the name of the setting that its path comes from
	Path    string
	Kind    bridge.Kind // whose keys it holds, one per line; 0: rules in YAML, a KEYS_FILE
}

// snapshot is the content of a file, or why it could not be read.
type snapshot struct{ content, failure string }

func (f File) read() snapshot {
	content, err := filewatch.Read(f.Path)
	if err != nil {
		return snapshot{failure: err.Error()}
	}
	return snapshot{content: string(content)}
}

// mergeInto adds the keys of a snapshot to cfg. The error names the setting, the file and, in rules, the line.
func (f File) mergeInto(cfg *signature.Config, r snapshot) error {
	if r.failure != "" {
		return f.settingError(errors.New(r.failure), "set a file that livebridge can read")
	}
	parsed, err := f.parse([]byte(r.content))
	if err == nil {
		_, err = signature.NewRing(parsed)
	}
	if err != nil {
		return f.settingError(signature.WithLocation(f.Path, err), "")
	}
	switch f.Kind {
	case bridge.KindStream:
		cfg.Stream = parsed.Stream
	case bridge.KindRecord:
		cfg.Record = parsed.Record
	case bridge.KindRTCRecord:
		cfg.RTC = parsed.RTC
	default:
		cfg.Rules = parsed.Rules
	}
	return nil
}

// settingError returns an error of the file's setting.
func (f File) settingError(problem error, remedy string) error {
	return bridge.NewSettingError(strings.TrimPrefix(f.Setting, bridge.SettingPrefix), problem, remedy)
}

// parse returns a configuration with only the keys of this file.
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

// WorldReadable reports whether every user may read the file; false if that cannot be determined.
func WorldReadable(path string) bool {
	const others = 0o004
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&others != 0
}
