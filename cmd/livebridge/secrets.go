package main

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"

	"livebridge/bridge"
	"livebridge/bridge/filewatch"
	"livebridge/bridge/keyring"
)

// keySettings are the secrets whose file has one key per line and is watched, with their kinds.
func keySettings() map[string]bridge.Kind {
	return map[string]bridge.Kind{
		"STREAM_KEY": bridge.KindStream, "RECORD_KEY": bridge.KindRecord, "RTC_KEY": bridge.KindRTCRecord,
	}
}

// readSecretFiles sets secrets to the contents of the files in their _FILE variables, except for keys. It returns the
// paths of the files that could be read.
func readSecretFiles(vars map[string]string) (map[string]string, error) {
	var errs []error
	files := make(map[string]string)
	for _, f := range (&settings{}).fields() {
		path := vars[prefix+f.name+"_FILE"]
		if !f.secret || path == "" {
			continue
		}
		if vars[prefix+f.name] != "" {
			errs = append(errs, settingError(f.name, "set only one of them", "is set, and so is %s%s_FILE", prefix, f.name))
			continue
		}
		if _, watched := keySettings()[f.name]; watched {
			continue
		}
		content, err := filewatch.Read(path)
		if err != nil {
			errs = append(errs, settingError(f.name+"_FILE", "set a file that livebridge can read", "%w", err))
			continue
		}
		files[f.name] = path
		if vars[prefix+f.name] = strings.TrimRight(string(content), "\r\n"); vars[prefix+f.name] == "" {
			errs = append(errs, settingError(f.name+"_FILE", "write the secret into it", "%s is empty", path))
			delete(files, f.name)
		}
	}
	return files, errors.Join(errs...)
}

// keyFiles returns the configured files of keys.
func keyFiles(vars map[string]string) []keyring.File {
	var files []keyring.File
	kinds := keySettings()
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		if setting := prefix + name + "_FILE"; vars[setting] != "" {
			files = append(files, keyring.File{Setting: setting, Path: vars[setting], Kind: kinds[name]})
		}
	}
	if setting := prefix + "KEYS_FILE"; vars[setting] != "" {
		files = append(files, keyring.File{Setting: setting, Path: vars[setting]})
	}
	return files
}

// keysOf returns the keys of one setting, from its file or the environment.
func keysOf(vars map[string]string, name string) ([]string, error) {
	path := vars[prefix+name+"_FILE"]
	if path == "" {
		return keyList(vars[prefix+name]), nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, settingError(name+"_FILE", "set a file that livebridge can read", "%w", err)
	}
	keys, err := keyring.ParseList(content)
	if err != nil {
		return nil, settingError(name+"_FILE", "", "%s: %w", path, err)
	}
	return keys, nil
}

// keyList splits the keys of one kind, without blank ones.
func keyList(text string) []string {
	var keys []string
	for key := range strings.SplitSeq(text, ",") {
		if key = strings.TrimSpace(key); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// worldReadable returns the settings whose secret files are world-readable. The keyring warns of its own.
func worldReadable(vars map[string]string) []string {
	var names []string
	for _, f := range (&settings{}).fields() {
		if _, watched := keySettings()[f.name]; f.secret && !watched {
			names = append(names, prefix+f.name+"_FILE")
		}
	}
	for _, name := range []string{
		"NATS_CREDS_FILE", "NATS_NKEY_FILE", "NATS_TLS_KEY_FILE", "KAFKA_TLS_KEY_FILE", "TLS_KEY_FILE"} {
		names = append(names, prefix+name)
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return vars[name] == "" || !keyring.WorldReadable(vars[name])
	})
}
