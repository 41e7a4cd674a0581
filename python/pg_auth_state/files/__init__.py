"""From `useMultiFileAuthState` folders to the database and back."""
