package store

// A Bearer is what the store knows of a token, and of the one who sends it.
type Bearer struct {
	Token Token
	Grant Grant
	User  User // zero while the grant is unclaimed
}
