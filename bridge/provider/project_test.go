package provider_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/provider"
)

// TestAProjectThatCannotBeFoundIsToBeNamed: without an id the SDK asks the provider for the projects of the region. It
// keeps an answer for as long as the program runs, so each case has an access key of its own.
func TestAProjectThatCannotBeFoundIsToBeNamed(t *testing.T) {
	for accessKey, projects := range map[string]string{
		"NONE": `{"projects":[]}`, "TWO": `{"projects":[{"id":"one","name":"r"},{"id":"two","name":"r"}]}`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(projects))
		}))
		account(t)
		t.Setenv("HUAWEICLOUD_SDK_AK", accessKey)
		t.Setenv("HUAWEICLOUD_SDK_PROJECT_ID", "")
		c, err := provider.Open(provider.Config{Region: "cn-north-4", IAMEndpoint: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.List(t.Context(), provider.Query{Kind: bridge.KindRecord})
		if err == nil || !strings.Contains(err.Error(), "--project") || strings.Contains(err.Error(), "basic.New") {
			t.Errorf("%s: %v", accessKey, err)
		}
		server.Close()
	}
}
