use Test::More tests => 4;
ok(1, 'one');
ok(0, 'two');
TODO: { local $TODO = 'later'; ok(0, 'three') }
SKIP: { skip 'not here', 1 }
