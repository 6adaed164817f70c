package checker_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTableOfFaults: every test that the table in doc.go names is there.
func TestTableOfFaults(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^//\t.*\s((?:bridge|cmd|transports)/[a-z/]+)\.((?:Test|Fuzz)\w+)$`)
	rows := row.FindAllStringSubmatch(string(doc), -1)
	if len(rows) < 20 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	for _, row := range rows {
		files, err := filepath.Glob(filepath.Join("..", "..", row[1], "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.Contains(string(text), "\nfunc "+row[2]+"(")
		}
		if !found {
			t.Errorf("%s has no test %s", row[1], row[2])
		}
	}
}
