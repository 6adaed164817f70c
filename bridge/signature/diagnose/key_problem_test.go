package diagnose

import (
	"strings"
	"testing"
)

func TestKeyProblem(t *testing.T) {
	const key = "Doubt0123456789Doubt0123456789ABCD"
	for text, want := range map[string]string{
		key: "", key + "==": "", "Key" + key: "", "AKEYb64" + key + "=": "", "": "",
		`"` + key + `"`: "in quotes", `'` + key + `'`: "in quotes", "“" + key + "”": "in quotes", `"`: "in quotes",
		`"` + key: "begins with a quote", key + `'`: "ends with a quote",
		"\ufeff" + key: "byte order mark", "export " + key: "variable name",
		"KEY=" + key: "variable name", "export LIVEBRIDGE_STREAM_KEY=" + key: "variable name",
		`stream_key = "` + key + `"`: "with a quote",
	} {
		got := KeyProblem(text)
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if strings.Contains(got, "Doubt0") {
			t.Errorf("%q: the key is shown", text)
		}
	}
}
