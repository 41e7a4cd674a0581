<?php
// Another language needs nothing but a PostgreSQL driver: apt install php-cli php-pgsql; DATABASE_URL=postgresql://… php calls.php
declare(strict_types=1);

$db = pg_connect(getenv('DATABASE_URL'));

class Refused extends Exception
{
    public function __construct(string $message, public string $sqlstate, public ?string $hint)
    {
        parent::__construct($message);
    }
}

/** One function, one atomic transaction. Arguments by name; arrays travel as JSON. */
function call(PgSql\Connection $db, string $function, array $arguments): ?string
{
    $list = [];
    foreach (array_keys($arguments) as $index => $name) {
        $list[] = "p_$name => $" . ($index + 1);
    }
    $values = array_map(fn ($value) => is_array($value) ? json_encode($value) : $value, array_values($arguments));
    pg_send_query_params($db, "select $function(" . implode(', ', $list) . ')', $values);
    $result = pg_get_result($db);
    pg_get_result($db); // the end
    if (pg_result_status($result) !== PGSQL_TUPLES_OK) {
        $field = fn (int $code) => pg_result_error_field($result, $code) ?: null;
        throw new Refused($field(PGSQL_DIAG_MESSAGE_PRIMARY), $field(PGSQL_DIAG_SQLSTATE), $field(PGSQL_DIAG_MESSAGE_HINT));
    }
    return pg_fetch_result($result, 0, 0);
}

// Creds: stored only if the account has none; the answer is what is stored now.
$key = fn (string $bytes) => ['type' => 'Buffer', 'data' => base64_encode($bytes)];
$creds = ['noiseKey' => $key("\x01\x02"), 'signedIdentityKey' => $key("\x03\x04"), 'registrationId' => 1];
$creds = json_decode(call($db, 'auth_init_creds', ['company_id' => '962302', 'creds' => $creds]), true);
echo "registration id: {$creds['registrationId']}\n";

// Keys: all or none; null deletes. Bytes are {"type": "Buffer", "data": base64}, as Baileys has them.
$changed = call($db, 'auth_set_keys', ['company_id' => '962302', 'data' => [
    'session' => ['5511900000002.0' => ['version' => 'v1']],
    'identity-key' => ['5511900000002.0' => $key("\x05\x01")],
    'pre-key' => ['7' => null],
]]);
echo "rows changed: $changed\n";
echo call($db, 'auth_get_keys', ['company_id' => '962302', 'keys' => ['session' => ['5511900000002.0', '1.0']]]), "\n";

// Errors: branch on the code, never on the text.
try {
    call($db, 'auth_save_creds', ['company_id' => '962302', 'creds' => ['registrationId' => 2] + $creds, 'expected_version' => 1]);
} catch (Refused $refused) {
    echo match ($refused->sqlstate) {
        'WA002' => "another process has this account\n",
        'WA003' => "somebody saved in between: read again\n",
        default => throw $refused,
    };
}
