package keyring_test

import (
	"reflect"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/keyring"
	"livebridge/bridge/signature"
)

// secret is what no error may hold.
const secret = "SECRET0123456789abcdef0123456789abcdef"

const goodRules = `# who signs what
rules:
  - domain: push.example.com
    app: live
    kind: stream
    keys: [SECRET0123456789abcdef0123456789abcdef, "12345678901234567890123456789012"]
  - {domain: "*", app: '*', kind: record, sign_type: MD5, keys: [12345678901234567890123456789012]}
  - domain: app-id
    kind: rtc-record
    keys:
      - "with: colon # and hash, 0123456789abcdef"
  - {domain: a.example.com, app: live, kind: snapshot}
`

func TestParseRules(t *testing.T) {
	const digits = "12345678901234567890123456789012"
	got, err := keyring.ParseRules([]byte(goodRules))
	if err != nil {
		t.Fatal(err)
	}
	want := []signature.Rule{
		{Where: "line 3", Kind: bridge.KindStream, Domain: "push.example.com", App: "live", Keys: []string{secret, digits}},
		{Where: "line 7", Kind: bridge.KindRecord, Domain: "*", App: "*", Scheme: bridge.SchemeMD5, Keys: []string{digits}},
		{Where: "line 8", Kind: bridge.KindRTCRecord, Domain: "app-id", App: "*",
			Keys: []string{"with: colon # and hash, 0123456789abcdef"}},
		{Where: "line 12", Kind: bridge.KindSnapshot, Domain: "a.example.com", App: "live"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if _, err := signature.NewRing(signature.Config{Rules: got}); err != nil {
		t.Error(err)
	}
	crlf, err := keyring.ParseRules([]byte("\ufeff" + strings.ReplaceAll(goodRules, "\n", "\r\n")))
	if err != nil || !reflect.DeepEqual(crlf, want) {
		t.Errorf("with the line ends and the mark of another system: %v, %+v", err, crlf)
	}
}

// rulesWith is a file of one good rule with a line changed.
func rulesWith(old, text string) string {
	good := "rules:\n  - domain: push.example.com\n    app: live\n    kind: record\n    sign_type: MD5\n    keys:\n    " +
		"  - " + secret + "\n"
	return strings.Replace(good, old, text, 1)
}

func TestParseRulesNamesMistakes(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		{"nothing", "", "is empty"},
		{"a comment", "# " + secret, "is empty"},
		{"a text", secret, "line 1: not a mapping"},
		{"a list", "- " + secret, "line 1: not a mapping"},
		{"no rules", "rules: []", "line 1: rules is not a list"},
		{"rules is nothing", "rules:\n", "line 1: rules is not a list"},
		{"another word", "keys: []", "line 1: unknown member keys; use rules"},
		{"a second document", rulesWith("", "") + "---\nrules: []\n", "second document"},
		{"a rule is a key", "rules:\n  - " + secret, "line 2: not a mapping"},
		{"an unknown member", rulesWith("app:", "apps:"), "line 3: unknown member apps; use domain, app"},
		{"a key for a member", rulesWith("app: live", secret+": x"), "line 3: unknown member; use"},
		{"a member twice", rulesWith("app: live", "app: live\n    app: live"), "line 4: duplicate member app"},
		{"no domain", rulesWith("domain: push.example.com\n    app", "app"), "line 2: domain is missing"},
		{"no app", rulesWith("    app: live\n", ""), "line 2: app is missing"},
		{"no kind", rulesWith("    kind: record\n", ""), "line 2: kind is missing"},
		{"no keys", rulesWith("    keys:\n      - "+secret+"\n", ""), "line 2: keys is missing"},
		{"one key", rulesWith("keys:\n      - "+secret, "keys: "+secret), "line 6: keys is not a list"},
		{"no key", rulesWith("- "+secret, "[]"), "keys is not a list"},
		{"an empty key", rulesWith("- "+secret, `- ""`), "line 7: entry 1 of keys is not a string"},
		{"a blank key", rulesWith("- "+secret, `-`), "entry 1 of keys is not a string"},
		{"null", rulesWith("- "+secret, `- null`), "entry 1 of keys is not a string"},
		{"a list for a key", rulesWith("- "+secret, "- ["+secret+"]"), "line 7: entry 1 of keys is not a string"},
		{"a mapping for a key", rulesWith("- "+secret, "- "+secret+": x"), "entry 1 of keys is not a string"},
		{"a tag", rulesWith("- "+secret, "- !!binary "+secret), "entry 1 of keys is not a string"},
		{"an anchor", rulesWith("- "+secret, "- &"+secret+" "+secret), "entry 1 of keys is not a string"},
		{"an alias", rulesWith("- "+secret, "- *"+secret), "invalid YAML"},
		{"a merge", rulesWith("app: live", "<<: {app: "+secret+"}"), "line 3: unknown member; use"},
		{"kind", rulesWith("kind: record", "kind: "+secret),
			"line 4: unknown kind; use stream, record, snapshot or rtc-record"},
		{"sign type", rulesWith("sign_type: MD5", "sign_type: "+secret), "line 5: unknown sign_type; use HMACSHA256"},
		{"a bracket", rulesWith("- "+secret, "- ["+secret), "invalid YAML"},
		{"a quote", rulesWith("- "+secret, "- '"+secret), "invalid YAML"},
		{"a tab", rulesWith("- "+secret, "\t- "+secret), "invalid YAML"},
		{"an at sign", rulesWith("- "+secret, "- @"+secret), "invalid YAML"},
		{"a percent sign", "%" + secret, "invalid YAML"},
		{"control characters", rulesWith("- "+secret, "- \x01"+secret), "invalid YAML"},
		{"two rules", "rules:\n  - {}\n  - {kind: x}\n", "line 2: kind is missing\nline 3: domain is missing"},
		{"JSON", `{"rules":[{"domain":"a.example.com","app":"*","kind":"stream","keys":["` + secret + `"],"x":1}]}`,
			"unknown member x"},
	} {
		rules, err := keyring.ParseRules([]byte(tt.file))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q (%+v)", tt.name, err, tt.want, rules)
		} else if strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: the error shows a key: %v", tt.name, err)
		}
	}
}

// FuzzParseRules: no file makes it panic, and no error repeats a text that could be a key.
func FuzzParseRules(f *testing.F) {
	f.Add(goodRules)
	f.Add(rulesWith("- "+secret, "- *"+secret))
	f.Add("rules: &a [*a]")
	f.Add("? [complex]\n: x")
	f.Add("--- !!map {}")
	f.Fuzz(func(t *testing.T, file string) {
		rules, err := keyring.ParseRules([]byte(file))
		if err == nil {
			_, err = signature.NewRing(signature.Config{Rules: rules})
		}
		if err == nil {
			return
		}
		message := err.Error()
		for i := 0; i+24 <= len(file); i++ {
			if part := file[i : i+24]; strings.Contains(message, part) && !strings.Contains(errorTexts, part) {
				t.Errorf("the error repeats %q: %s", part, message)
			}
		}
	})
}

// errorTexts are texts of errors that a fuzzer may find and put into a file.
const errorTexts = "unknown member; use domain, app, kind, sign_type, keys is empty; write rules: and a list of rules"

func TestParseList(t *testing.T) {
	for file, want := range map[string][]string{
		"a\n":                    {"a"},
		"\n\r\n a b \r\n\nc":     {"a b", "c"},
		"\ufeffa\r\nb,c\r\n\t\n": {"a", "b,c"},
		"":                       nil,
		" \n\r\n\t":              nil,
	} {
		got, err := keyring.ParseList([]byte(file))
		if !reflect.DeepEqual(got, want) || (err != nil) != (want == nil) {
			t.Errorf("%q: %q, %v", file, got, err)
		}
	}
}
