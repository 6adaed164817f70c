package provider

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"livebridge/bridge"
)

// Check reports what is wrong with a callback that is to be registered; the error names every field that is.
func (c *Callback) Check() error {
	problems := []error{c.Place.check(), checkURL(c.URL), c.checkKey(), c.checkRecord(), c.checkArea(), c.checkPictures()}
	return errors.Join(problems...)
}

func (p Place) check() error {
	rtc := p.Kind == bridge.KindRTCRecord
	switch {
	case rtc && p.App == "":
		return errors.New("app is empty: set it to the id of the SparkRTC app")
	case rtc && p.Domain != "":
		return errors.New("domain is set: SparkRTC has none")
	case rtc:
		return nil
	case p.Domain == "" || strings.ContainsAny(p.Domain, "/:? \t\n") || p.Domain != strings.ToLower(p.Domain):
		return fmt.Errorf("domain %q is not an ingest domain in lower case, such as push.example.com", p.Domain)
	case p.Kind == bridge.KindStream && p.App != "":
		return fmt.Errorf("app %q is set: stream status is registered for all apps of the domain", p.App)
	case p.Kind != bridge.KindStream && (p.App == "" || strings.Contains(p.App, "/")):
		return fmt.Errorf("app %q is not the name of an app, nor %s for every app", p.App, Wildcard)
	}
	return nil
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return fmt.Errorf("url %q is not a URL that begins with http:// or https://", text)
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return errors.New("url has a query, a fragment or a password: the provider calls a URL without them")
	}
	return nil
}

// keyLengths are the shortest and longest key of each kind. No longest is documented for recordings of Live.
func keyLengths() map[bridge.Kind][2]int {
	return map[bridge.Kind][2]int{bridge.KindStream: {32, 128}, bridge.KindRecord: {32, 0},
		bridge.KindSnapshot: {32, 128}, bridge.KindRTCRecord: {32, 64}}
}

// checkKey counts characters; it never shows one.
func (c *Callback) checkKey() error {
	if c.Key == "" {
		return nil
	}
	length, limits := len([]rune(c.Key.Reveal())), keyLengths()[c.Kind]
	switch {
	case limits[1] == 0 && length < limits[0]:
		return fmt.Errorf("key has %d characters: use at least %d", length, limits[0])
	case length < limits[0] || limits[1] > 0 && length > limits[1]:
		return fmt.Errorf("key has %d characters: use %d to %d", length, limits[0], limits[1])
	case c.Kind == bridge.KindRecord && strings.ContainsFunc(c.Key.Reveal(), notAlphanumeric):
		return errors.New("key has other characters than letters and digits: recordings of Live allow those alone")
	}
	return nil
}

func notAlphanumeric(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

func (c *Callback) checkRecord() error {
	if c.Kind != bridge.KindRecord {
		if c.SignType != "" || len(c.Events) > 0 {
			return fmt.Errorf("sign_type or events is set: %s callbacks have neither", c.Kind)
		}
		return nil
	}
	if c.SignType != SignHMAC && c.SignType != SignMD5 {
		return fmt.Errorf("sign_type %q is neither %s nor %s", c.SignType, SignHMAC, SignMD5)
	}
	if len(c.Events) == 0 {
		return fmt.Errorf("events is empty: use some of %s", strings.Join(recordEvents, ", "))
	}
	for _, event := range c.Events {
		if !slices.Contains(recordEvents, event) {
			return fmt.Errorf("events has %q: use some of %s", event, strings.Join(recordEvents, ", "))
		}
	}
	return nil
}

func (c *Callback) checkArea() error {
	switch {
	case c.Area == "":
		return nil
	case c.Kind != bridge.KindStream:
		return fmt.Errorf("call_back_area is set: %s callbacks have none", c.Kind)
	case c.Area != AreaMainland && c.Area != AreaOutside:
		return fmt.Errorf("call_back_area %q is neither %s nor %s", c.Area, AreaMainland, AreaOutside)
	}
	return nil
}

func (c *Callback) checkPictures() error {
	switch {
	case c.Kind != bridge.KindSnapshot && c.Pictures != nil:
		return fmt.Errorf("pictures is set: %s callbacks have none", c.Kind)
	case c.Kind != bridge.KindSnapshot:
		return nil
	case c.Pictures == nil || c.Pictures.Bucket == "" || c.Pictures.Location == "":
		return errors.New("pictures lacks the bucket or its location: the provider keeps them with the callback")
	case c.Pictures.Interval < 5 || c.Pictures.Interval > 3600:
		return fmt.Errorf("interval %d is not 5 to 3600 seconds", c.Pictures.Interval)
	}
	return nil
}
