package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"

	"github.com/caarlos0/env/v11"
	"github.com/joho/godotenv"
	"github.com/spf13/cobra"
)

// environment is what the commands of one command line read of environment variables.
type environment struct {
	vars     map[string]string // by name; with those of the file, once the command line has been read
	file     string            // that --env-file names
	fromFile map[string]bool   // variables that the file alone has set
}

// processEnvironment returns the environment of the process.
func processEnvironment() *environment { return &environment{vars: env.ToMap(os.Environ())} }

// addFlag adds --env-file to a command and all below it.
func (e *environment) addFlag(c *cobra.Command) {
	c.PersistentFlags().StringVar(&e.file, "env-file", "",
		"`file` of NAME=value lines, used where the environment does not have the variable")
	c.PersistentPreRunE = func(*cobra.Command, []string) error { return e.readFile() }
}

// readFile sets the variables of the file, except those that are set already: for the commands, and for the provider's
// SDK, which reads the process's own.
func (e *environment) readFile() error {
	if e.file == "" {
		return nil
	}
	vars, err := godotenv.Read(e.file)
	var pathError *fs.PathError
	switch {
	case errors.As(err, &pathError):
		return &usageError{fmt.Errorf("--env-file: %w", err)}
	case err != nil: // its text repeats the file, which may contain secrets
		return &usageError{fmt.Errorf("--env-file: %s is malformed: use lines such as %sTRANSPORT=kafka, and single "+
			"quotes around values with spaces, # or $", e.file, prefix)}
	}
	e.fromFile = make(map[string]bool)
	for name, value := range vars {
		if _, set := e.vars[name]; set {
			continue
		}
		e.vars[name], e.fromFile[name] = value, true
		if err := os.Setenv(name, value); err != nil {
			return &usageError{fmt.Errorf("--env-file: %s: variable %q: %w", e.file, name, err)}
		}
	}
	return nil
}

// operatorSettings returns the settings. Those that only a service needs, such as keys, may be absent.
func (e *environment) operatorSettings() (*settings, error) {
	vars := maps.Clone(e.vars)
	vars[prefix+"UNSIGNED"] = "accept"
	return load(vars)
}
