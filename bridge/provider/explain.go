package provider

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
)

// maxMessage bounds Error.Message, in bytes: a proxy may answer with a page of HTML.
const maxMessage = 500

// explain returns err as *Error, nil for nil.
func (c *Client) explain(ctx context.Context, op string, err error, keys []Key) error {
	if err == nil {
		return nil
	}
	e := &Error{Op: op, cause: err}
	var known *Error
	var answered *sdkerr.ServiceResponseError
	var region *regionError
	var lookup *net.DNSError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &answered):
		e.answered(answered)
	case errors.As(err, &region):
		e.Message, e.Advice = region.Error(), "use one of the regions that the message lists, or name an endpoint"
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Message, e.Temporary = fmt.Sprintf("no response within %v", c.config.Timeout), true
		e.Advice = "check the network's way to the endpoint and try again; a change may have been made all the same"
	case errors.As(err, &lookup):
		e.Message, e.Temporary = "host "+lookup.Name+" cannot be resolved: "+lookup.Err, true
		e.Advice = "check --region, --endpoint and DNS"
	default:
		e.unsent(err)
	}
	e.Message = presentable(mask(e.Message, keys))
	return e
}

// unsent fills in a failure without a response.
func (e *Error) unsent(err error) {
	var failed *url.Error
	if errors.As(err, &failed) {
		e.Message, e.Temporary = failed.Err.Error(), true
		e.Advice = "check the network's way to the endpoint, its proxy and its certificate"
		return
	}
	e.Message = err.Error()
	if strings.Contains(e.Message, "project id") { // the SDK looks it up when none is given, and advises in Go
		e.Message, _, _ = strings.Cut(e.Message, ": basic.NewCredentialsBuilder")
		e.Advice = "name the project's id with --project or HUAWEICLOUD_SDK_PROJECT_ID"
	}
}

// answered fills in a failure that the provider's API has answered.
func (e *Error) answered(r *sdkerr.ServiceResponseError) {
	e.Status, e.Code, e.RequestID, e.Message = r.StatusCode, r.ErrorCode, r.RequestId, r.ErrorMessage
	if strings.TrimSpace(e.Message) == "" {
		e.Message = http.StatusText(r.StatusCode)
	}
	e.Temporary = e.Status == http.StatusTooManyRequests || e.Status >= http.StatusInternalServerError
	e.Advice = advice(e.Status, e.Code)
}

// advice returns what to do about an answer. Codes that begin with APIGW or APIG are those of the gateway before every
// API of the provider.
func advice(status int, code string) string {
	_, number, _ := strings.Cut(code, ".")
	gateway := strings.HasPrefix(code, "APIG")
	switch {
	case gateway && number == "0301" || status == http.StatusUnauthorized:
		return "check the access key, its secret and, with temporary credentials, the security token, and this machine's " +
			"clock; five failures in a row lock the access key for five minutes"
	case gateway && number == "0308" || status == http.StatusTooManyRequests:
		return "the API limits requests: wait a minute and try again"
	case status == http.StatusForbidden:
		return "grant the permissions that the handbook lists, and check that the project belongs to the region"
	case status == http.StatusNotFound:
		return "check the domain, app or id, and that region and project are those where it exists"
	case status == http.StatusConflict:
		return "it is registered already: list what is registered and update that"
	case status >= http.StatusInternalServerError:
		return "the provider failed: try again, and report the request id if it stays"
	case status == http.StatusBadRequest:
		return "check that the domain is an ingest domain of this project and region, and what the message names"
	}
	return ""
}

// mask replaces keys, which the provider might repeat in its message.
func mask(text string, keys []Key) string {
	for _, k := range keys {
		if k != "" {
			text = strings.ReplaceAll(text, k.Reveal(), k.String())
		}
	}
	return text
}

// presentable returns text in one line of limited length, without anything that controls a terminal.
func presentable(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsGraphic(r)
	}), " ")
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + " ..."
	}
	return text
}
