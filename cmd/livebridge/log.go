package main

import (
	"io"
	"log"
	"os"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"
)

// newLog returns the program's log on standard error: JSON, or text on a terminal. The program does not depend on a
// reader of the log, which may be slow or go away.
func newLog(s *settings, w *logWriter) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(s.LogLevel)
	if err != nil {
		return nil, err
	}
	log.SetOutput(w) // for libraries that use the standard logger
	log.SetFlags(0)
	encoder := newEncoder(s)
	w.setNotice(func(dropped uint64) []byte { return droppedNotice(encoder, dropped) })
	core := zapcore.NewCore(encoder, zapcore.AddSync(w), level)
	return zap.New(zapcore.NewSamplerWithOptions(core, time.Second, 100, 100), zap.ErrorOutput(zapcore.AddSync(w))), nil
}

// logWriterOf returns the program's own writer of standard error, or, in a test, one for another writer, and a function
// that closes the latter.
func logWriterOf(w io.Writer) (own *logWriter, closeOwn func()) {
	if own, ok := w.(*logWriter); ok {
		return own, func() {}
	}
	own = newLogWriter(w)
	return own, own.close
}

func newEncoder(s *settings) zapcore.Encoder {
	c := zap.NewProductionEncoderConfig()
	c.EncodeTime, c.EncodeDuration = zapcore.ISO8601TimeEncoder, zapcore.StringDurationEncoder
	if s.logsJSON() {
		return zapcore.NewJSONEncoder(c)
	}
	return zapcore.NewConsoleEncoder(c)
}

// logsJSON reports whether the log is JSON. An invalid LOG_FORMAT counts as auto.
func (s *settings) logsJSON() bool {
	if s.LogFormat == "json" || s.LogFormat == "console" {
		return s.LogFormat == "json"
	}
	return !term.IsTerminal(int(os.Stderr.Fd()))
}

// droppedNotice returns a log line with the number of lines dropped before it.
func droppedNotice(encoder zapcore.Encoder, dropped uint64) []byte {
	return encoded(encoder, zapcore.WarnLevel, "log lines dropped: standard error could not be written",
		zap.Uint64("lines", dropped))
}

// encoded returns one log line.
func encoded(encoder zapcore.Encoder, level zapcore.Level, message string, fields ...zapcore.Field) []byte {
	b, err := encoder.EncodeEntry(zapcore.Entry{Level: level, Time: time.Now(), Message: message}, fields)
	if err != nil {
		return nil
	}
	defer b.Free()
	return append([]byte(nil), b.Bytes()...)
}
