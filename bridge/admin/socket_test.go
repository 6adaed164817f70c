package admin

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/zap"

	"livebridge/bridge"
)

// socketPathMax is how long the path of a socket can be.
const socketPathMax = len(syscall.RawSockaddrUnix{}.Path) - 1

// longDir returns a directory whose control socket has a path of so many bytes.
func longDir(t *testing.T, length int) string {
	t.Helper()
	short, err := os.MkdirTemp("/tmp", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(short) })
	dir := filepath.Join(short, strings.Repeat("x", length-len(short)-len("//"+socket)))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestLongestSocket: the control socket can be opened wherever it can be connected to, also over what a killed run has
// left.
func TestLongestSocket(t *testing.T) {
	dir := longDir(t, socketPathMax)
	for range 2 {
		c, err := NewControl(dir, &fakeOperator{}, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		client, err := DialControl(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(client.Close(), c.Shutdown(context.Background())); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
		if err := os.MkdirAll(filepath.Join(dir, creating, "s"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTooLongSocket: where DATA_DIR is too long for a socket no service listens, and the error of one that wants to
// names the setting.
func TestTooLongSocket(t *testing.T) {
	dir := longDir(t, socketPathMax+1)
	_, err := NewControl(dir, &fakeOperator{}, zap.NewNop())
	var setting *bridge.SettingError
	if !errors.As(err, &setting) || setting.Setting != "DATA_DIR" || !strings.Contains(err.Error(), "shorter") {
		t.Errorf("the service says: %v", err)
	}
	if _, err = DialControl(dir); !errors.Is(err, ErrNoService) {
		t.Errorf("the command says: %v", err)
	}
}
