package main

import (
	"errors"
	"io"
	"os"

	"golang.org/x/term"

	"livebridge/bridge/admin"
	"livebridge/bridge/journal"
)

// openOperator reaches the journal in DATA_DIR: through the running service, or by opening it where none runs.
func openOperator(mode journal.Mode) (admin.Operator, io.Closer, error) {
	s, err := loadForOperator()
	if err != nil {
		return nil, nil, err
	}
	client, err := admin.DialControl(s.DataDir)
	if err == nil {
		return client, client, nil
	}
	if !errors.Is(err, admin.ErrNoService) {
		return nil, nil, err
	}
	j, err := journal.OpenOffline(s.journalOptions(), mode)
	if errors.Is(err, journal.ErrNoJournal) {
		return nil, nil, &usageError{err}
	}
	if err != nil {
		return nil, nil, err
	}
	return j, j, nil
}

// withOperator calls f with the journal and closes it.
func withOperator(mode journal.Mode, f func(admin.Operator) error) error {
	operator, closer, err := openOperator(mode)
	if err != nil {
		return err
	}
	return errors.Join(f(operator), closer.Close())
}

// loadForOperator loads the settings. Those that only a service needs, such as keys, may be absent.
func loadForOperator() (*settings, error) {
	vars := environ()
	vars[prefix+"UNSIGNED"] = "accept"
	return load(vars)
}

// terminal reports whether w is a terminal.
func terminal(w io.Writer) bool {
	if l, ok := w.(*logWriter); ok {
		w = l.to
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
