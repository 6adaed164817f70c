package bridge

import "errors"

// SettingPrefix begins the name of every setting in the environment.
const SettingPrefix = "LIVEBRIDGE_"

// SettingError is a setting that cannot be used. It never contains a secret.
type SettingError struct {
	Setting string // its name without SettingPrefix
	Problem error  // what is wrong with it
	Remedy  string // what to do about it; empty if Problem says it
}

// NewSettingError returns a *SettingError, or nil if nothing is wrong. Of a problem that joins several, each gets its
// own.
func NewSettingError(setting string, problem error, remedy string) error {
	if problem == nil {
		return nil
	}
	joined, many := problem.(interface{ Unwrap() []error })
	if !many {
		return &SettingError{setting, problem, remedy}
	}
	var all []error
	for _, one := range joined.Unwrap() {
		all = append(all, NewSettingError(setting, one, remedy))
	}
	return errors.Join(all...)
}

// Error names the setting, what is wrong and what to do.
func (e *SettingError) Error() string {
	text := SettingPrefix + e.Setting + ": " + e.Problem.Error()
	if e.Remedy != "" {
		text += ": " + e.Remedy
	}
	return text
}

// Unwrap returns the problem.
func (e *SettingError) Unwrap() error { return e.Problem }
