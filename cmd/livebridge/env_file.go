package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/joho/godotenv"
	"github.com/spf13/cobra"
)

// envFile is the file of environment variables that a command line names.
type envFile struct {
	path string
	vars map[string]string // those that the environment did not have already
}

// addFlag adds --env-file to a command and all below it.
func (e *envFile) addFlag(c *cobra.Command) {
	c.PersistentFlags().StringVar(&e.path, "env-file", "",
		"`file` of NAME=value lines, used where the environment does not have the variable")
	c.PersistentPreRunE = func(*cobra.Command, []string) error { return e.load() }
}

// load sets the variables of the file, except those that are set already.
func (e *envFile) load() error {
	if e.path == "" {
		return nil
	}
	vars, err := godotenv.Read(e.path)
	var pathError *fs.PathError
	switch {
	case errors.As(err, &pathError):
		return &usageError{fmt.Errorf("--env-file: %w", err)}
	case err != nil: // its text repeats the file, which may contain secrets
		return &usageError{fmt.Errorf("--env-file: %s is malformed: use lines such as %sTRANSPORT=kafka, and single "+
			"quotes around values with spaces, # or $", e.path, prefix)}
	}
	e.vars = make(map[string]string)
	for name, value := range vars {
		if _, set := os.LookupEnv(name); set {
			continue
		}
		e.vars[name] = value
		if err := os.Setenv(name, value); err != nil {
			return &usageError{fmt.Errorf("--env-file: %s: variable %q: %w", e.path, name, err)}
		}
	}
	return nil
}

// sets reports whether a variable is from the file.
func (e *envFile) sets(name string) bool {
	_, set := e.vars[name]
	return set
}
