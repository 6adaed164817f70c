package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// healthTimeout bounds the request of livebridge health; the health checks of containers wait longer.
const healthTimeout = 3 * time.Second

// newHealth is for health checks of containers, whose image has no other program.
func newHealth(e *environment) *cobra.Command {
	path := "/readyz"
	var live bool
	c := &cobra.Command{
		Use: "health", Short: "Ask the running service whether it is ready; for health checks of containers",
		Long: "Ask the running service, on its admin port, whether it accepts callbacks.\n" +
			"Exit code 0: yes. 1: no, or it does not respond.",
		Example: "  livebridge health\n  livebridge health --live", Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := e.operatorSettings()
			if err != nil {
				return err
			}
			if live {
				path = "/livez"
			}
			ctx, cancel := context.WithTimeout(c.Context(), healthTimeout)
			defer cancel()
			return checkHealth(ctx, c.OutOrStdout(), "http://"+reachableAddress(s.AdminListen)+path)
		},
	}
	c.Flags().BoolVar(&live, "live", false, "ask whether the process lives, whether or not it accepts callbacks")
	return c
}

// checkHealth prints the service's answer. It is an error unless that is 200.
func checkHealth(ctx context.Context, w io.Writer, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("the service does not respond; see LIVEBRIDGE_ADMIN_LISTEN: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", url, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(body)))
	}
	fmt.Fprintln(w, strings.TrimSpace(string(body)))
	return nil
}

// reachableAddress returns where a service that listens at an address is reached from the same machine.
func reachableAddress(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
