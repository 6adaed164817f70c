package main

const (
	providerAPI  = "bridge/provider"
	providertest = "bridge/provider/providertest"
)

// providerMutants are faults of how callbacks are registered, and of the provider that tests play.
func providerMutants() []mutant {
	return []mutant{
		{"a printed key is the key", "bridge/provider/key.go", "io.WriteString(s, k.String())",
			"io.WriteString(s, string(k))",
			providerAPI, "TestKeysAreNeverPrinted"},
		{"a key in the provider's message is shown", "bridge/provider/explain.go", "presentable(mask(e.Message, keys))",
			"presentable(e.Message)", providerAPI, "TestAKeyThatTheProviderRepeatsIsMasked"},
		{"the provider's message controls the terminal", "bridge/provider/explain.go", " || !unicode.IsGraphic(r)", "",
			providerAPI, "TestFailuresAreInWords"},
		{"the wildcard is sent as the user writes it", "bridge/provider/client.go", `if app == "**" {`, "if false {",
			providerAPI, "TestTheWildcardIsAcceptedInBothForms"},
		{"RECORD_START cannot be registered", "bridge/provider/callback.go", `[]string{"RECORD_START", `, `[]string{`,
			livebridge, "TestEveryKindIsManaged"},
		{"a list ends with its first page", "bridge/provider/values.go", "len(page) == 0 || len(all) >= total", "true",
			providerAPI, "TestListsAreReadToTheirEnd"},
		{"a request outlives its context", "bridge/provider/call.go", "r.WithContext(t.ctx)", "r", providerAPI,
			"TestACancelledRequestEnds"},
		{"the project of the flag is ignored", "bridge/provider/credentials.go", `if c.Project != "" {`, "if false {",
			providerAPI, "TestTheProjectOfTheFlagComesFirst"},
		{"throttling is for good", "bridge/provider/explain.go", "e.Status == http.StatusTooManyRequests || ", "",
			providerAPI,
			"TestFailuresAreInWords"},
		{"deleting a snapshot's callback deletes nothing", "bridge/provider/snapshot.go",
			`s.put(ctx, "delete ", registered, callbackOff)`, `s.put(ctx, "delete ", registered, callbackOn)`, providerAPI,
			"TestEveryKindIsCreatedListedUpdatedAndDeleted"},
		{"a recording callback is created without its key", "bridge/provider/record.go", "Key: optional(c.Key.Reveal())",
			"Key: nil", providerAPI, "TestApplyRegistersWhatTheFileWantsAndThenNothing"},
		{"apply is not idempotent", "bridge/provider/plan.go", "len(fields) > 0 {", "true {", providerAPI,
			"TestApplyRegistersWhatTheFileWantsAndThenNothing"},
		{"a hidden key is never registered again", "bridge/provider/plan.go", "\t\tif registerKeys {", "\t\tif false {",
			providerAPI, "TestAHiddenKeyIsRegisteredOnRequest"},
		{"what the file does not name stays", "bridge/provider/plan.go", `extra && !o.KeepOthers && c.URL != ""`,
			"extra && false",
			providerAPI, "TestApplyChangesFieldsAndDeletesTheRest"},
		{"pictures of snapshots are not kept", "bridge/provider/plan.go", "wanted.Pictures = registered.Pictures\n",
			"wanted.Pictures = &Pictures{}\n", providerAPI, "TestSnapshotsWithoutPicturesKeepTheRegisteredOnes"},
		{"a place is wanted twice", "bridge/provider/file.go", "err == nil && seen[w.Place]", "false", providerAPI,
			"TestMistakesInTheFileAreNamed"},
		{"an error quotes the key in the file", "bridge/provider/file.go", "; found {\n\t\t\tline = at",
			"; found && false {\n\t\t\tline = at",
			providerAPI, "TestMistakesInTheFileAreNamed"},
	}
}

// registrationMutants are faults of the commands that register callbacks, and of the played provider.
func registrationMutants() []mutant {
	return []mutant{
		{"an update without the key is sent", "cmd/livebridge/callbacks_edit.go", "if c.KeyHidden {", "if false {",
			livebridge,
			"TestMistakesWithCallbacksAreNamed"},
		{"apply does not ask", "cmd/livebridge/callbacks_apply.go", "case !yes:", "case false:", livebridge, "TestApply"},
		{"diff succeeds with a difference", "cmd/livebridge/callbacks_apply.go", "err == nil && len(changes) > 0", "false",
			livebridge, "TestApply"},
		{"MD5 is not warned of", "cmd/livebridge/callbacks.go", "callback.SignType == provider.SignMD5", "false", livebridge,
			"TestMD5AndMissingKeysAreWarnedOf"},
		{"the played provider takes any signature", "bridge/provider/providertest/authentication.go",
			"!hmac.Equal([]byte(expected), []byte(given.signature))", `expected == ""`, providerAPI, "TestFailuresAreInWords"},
		{"the played provider prefers the wildcard", "bridge/provider/providertest/store.go",
			"{Kind: kind, Domain: domain, App: app}, {Kind: kind, Domain: domain, App: provider.Wildcard},",
			"{Kind: kind, Domain: domain, App: provider.Wildcard}, {Kind: kind, Domain: domain, App: app},", providertest,
			"TestAPushLeadsToItsCallbacks"},
		{"the played provider sends what is not subscribed", "bridge/provider/providertest/deliver.go",
			"c.Kind == bridge.KindRecord && !slices", "false && !slices", providertest, "TestAPushLeadsToItsCallbacks"},
		{"two played callbacks share a signature", "bridge/provider/providertest/deliver.go", "max(n.expiry+1, ",
			"max(n.expiry, ",
			providertest, "TestPushesOfAStreamDiffer"},
	}
}
