#include <gtest/gtest.h>
#include <cstdio>
#include <cstdlib>
TEST(Foo, Works) { EXPECT_EQ(1,1); }
TEST(Foo, Fails) { EXPECT_EQ(1,2) << "because"; }
TEST(Foo, Skips) { GTEST_SKIP() << "not here"; }
TEST(Foo, DISABLED_Off) {}
class P : public ::testing::TestWithParam<int> {};
TEST_P(P, Each) { EXPECT_LT(GetParam(), 2); }
INSTANTIATE_TEST_SUITE_P(Inst, P, ::testing::Values(1,2));
template <class T> class Ty : public ::testing::Test {};
typedef ::testing::Types<int,char> Ts; TYPED_TEST_SUITE(Ty, Ts);
TYPED_TEST(Ty, Size) { EXPECT_EQ(sizeof(TypeParam), 4u); }
TEST(Zoo, Crash) { if (getenv("CRASH")) abort(); printf("no newline"); }
TEST(Zoo, After) {}
