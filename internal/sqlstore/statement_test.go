package sqlstore

import "testing"

func TestOnlyOneStatementThatStaysInTheTransactionIsRun(t *testing.T) {
	for query, want := range map[string]bool{
		"SELECT 1":                             true,
		"SELECT 1;":                            true,
		"SELECT 1 ; -- that is all\n":          true,
		"select ';'":                           true,
		"SELECT 'it''s; so', \"a;b\", `c;d`":   true,
		"-- first\n/* then; */ SELECT 1":       true,
		"SELECT 1 -- ; COMMIT":                 true,
		"SELECT 1 /* ; COMMIT */":              true,
		"INSERT INTO t VALUES (1)":             true,
		"WITH a AS (SELECT 1) SELECT * FROM a": true,
		"endings":                              true, // a word of its own
		"SELECT [a b], c FROM [t]":             true,

		"":                                 false,
		"  ":                               false,
		"-- nothing":                       false,
		";":                                false,
		"; SELECT 1":                       false,
		"COMMIT":                           false,
		"commit;":                          false,
		"\ufeffCOMMIT":                     false,
		"/**/COMMIT":                       false,
		"/* /* */ COMMIT":                  false,
		"--\rx\nCOMMIT":                    false,
		"END TRANSACTION":                  false,
		"SELECT 1; COMMIT":                 false,
		"SELECT ''; COMMIT":                false,
		"SELECT 1 /* x */; /* y */ COMMIT": false,
		"SELECT 'open":                     false,
		"SELECT 1;;":                       false,
		"SET TRANSACTION READ ONLY":        false,
		"ATTACH 'x' AS y":                  false,
		"VACUUM":                           false,
		"SELECT 1 AS [it's]; COMMIT --'":   false,
		"SELECT 1 AS [it--]; COMMIT":       false,
		"SELECT 1 AS [it/*]; COMMIT --*/":  false,
		"SELECT [open":                     false,
		"SELECT a['b']":                    false, // an index
	} {
		if got := single(query); got != want {
			t.Errorf("single(%q) = %v", query, got)
		}
	}
}
