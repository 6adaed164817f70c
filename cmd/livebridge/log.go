package main

import (
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"
)

// newLog makes the program's log on standard error: JSON, or lines for a person on a terminal.
func newLog(s *settings) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(s.LogLevel)
	if err != nil {
		return nil, err
	}
	c := zap.NewProductionConfig()
	c.Level = zap.NewAtomicLevelAt(level)
	c.EncoderConfig.EncodeTime = zapcore.ISO8601TimeEncoder
	c.DisableCaller, c.DisableStacktrace = true, true
	if s.LogFormat == "console" || s.LogFormat == "auto" && term.IsTerminal(int(os.Stderr.Fd())) {
		c.Encoding = "console"
	}
	return c.Build()
}
