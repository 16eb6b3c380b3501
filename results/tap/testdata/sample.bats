@test "passes" { true; }
@test "fails # with a hash" { echo "ok 9 none"; false; }
@test "skipped" { skip "no network"; }
@test "a \ and a tab	" { true; }
