package bridge_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"livebridge/bridge"
)

func TestSettingError(t *testing.T) {
	two := errors.Join(errors.New("is short"), errors.New("has a space"))
	for _, tt := range []struct {
		problem error
		remedy  string
		want    string
	}{
		{nil, "raise it", "<nil>"},
		{errors.New("1 is too small"), "raise it", "LIVEBRIDGE_LISTEN: 1 is too small: raise it"},
		{errors.New("is empty; set it"), "", "LIVEBRIDGE_LISTEN: is empty; set it"},
		{two, "mend it", "LIVEBRIDGE_LISTEN: is short: mend it\nLIVEBRIDGE_LISTEN: has a space: mend it"},
	} {
		if got := fmt.Sprint(bridge.NewSettingError("LISTEN", tt.problem, tt.remedy)); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	if err := bridge.NewSettingError("LISTEN", fmt.Errorf("of a file: %w", io.EOF), ""); !errors.Is(err, io.EOF) {
		t.Error("the cause is lost")
	}
}
