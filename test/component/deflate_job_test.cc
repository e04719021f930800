// Messages that are compressed away from their session: what a job makes of them arrives as if send() had done it.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>

#include "deflate_endpoint.h"
#include "extension/deflate_job.h"

namespace websocket::deflate {
namespace {

constexpr BufferType kText = BufferType::Utf8Message;

// Context takeover of the side that sends, a server.
constexpr DeflateParameters kTakeover{};
constexpr DeflateParameters kNoTakeover{true, true, 15, 15};

Endpoint openServer(const DeflateParameters& agreed) {
  Endpoint server(Role::Server, Mode::GatherAndPool);
  server.open(agreed);
  return server;
}

// What a client with the same parameters makes of the bytes.
std::vector<Message> receivedOf(std::string_view wire, const DeflateParameters& agreed) {
  Endpoint client(Role::Client, Mode::GatherAndPool);
  client.open(agreed);
  EXPECT_EQ(client.read(wire), Result::Ok);
  return client.received();
}

void runElsewhere(DeflateJob& job) {
  std::thread([&job] { job.run(); }).join();
  EXPECT_FALSE(job.isDone()) << "that is for the session's thread to say";
  job.finish();
  EXPECT_TRUE(job.isDone());
}

void sendOutput(Endpoint& server, const DeflateJob& job) {
  ASSERT_EQ(server.session->send(kText, job.output(), nullptr, Payload::Copy, nullptr,
                                 job.isCompressed() ? Compression::Done : Compression::Off),
            Result::Ok);
}

TEST(DeflateJob, OneServesAllSessionsWithoutContextTakeover) {
  std::mt19937 random(1);
  const std::string text = sampleText(random, 100'000);
  Endpoint first = openServer(kNoTakeover);
  const DeflaterSettings* const settings = first.session->sharedDeflater(kText, view(text), Compression::On);
  ASSERT_NE(settings, nullptr);
  DeflateJob job(view(text), nullptr, first.contexts, *settings);
  EXPECT_EQ(job.settings(), *settings);
  runElsewhere(job);
  ASSERT_TRUE(job.isCompressed());
  EXPECT_LT(job.output().size(), text.size() / 2);
  EXPECT_NE(job.outputOwner(), nullptr);

  Endpoint second = openServer(kNoTakeover);
  for (Endpoint* const server : {&first, &second}) {
    sendOutput(*server, job);
    server->send(kText, "behind it");
    EXPECT_EQ(receivedOf(server->written(), kNoTakeover), (std::vector<Message>{{kText, text}, {kText, "behind it"}}));
  }
}

TEST(DeflateJob, WhatDoesNotBecomeShorterStaysAsItIs) {
  Endpoint server = openServer(kNoTakeover);
  const auto owner = std::make_shared<std::uint8_t[]>(1);
  DeflateJob job(view("x"), owner, server.contexts, {});
  runElsewhere(job);
  EXPECT_FALSE(job.isCompressed());
  EXPECT_EQ(job.outputOwner(), owner);
  sendOutput(server, job);
  EXPECT_EQ(receivedOf(server.written(), kNoTakeover), (std::vector<Message>{{kText, "x"}}));
}

TEST(DeflateJob, WithContextTakeoverTheJobHasTheContextAndGivesItBack) {
  std::mt19937 random(3);
  const std::string text = sampleText(random, 20'000);
  Endpoint server = openServer(kTakeover);
  std::string wire;
  std::vector<Message> expected;
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(server.session->sharedDeflater(kText, view(text), Compression::On), nullptr);
    const auto job = server.session->takeDeflate(kText, view(text), nullptr, Compression::On);
    ASSERT_NE(job, nullptr);
    runElsewhere(*job);
    ASSERT_TRUE(job->isCompressed());
    server.session->finishDeflate(*job);
    sendOutput(server, *job);
    if (round > 0) {
      EXPECT_LT(job->output().size(), text.size() / 50) << "it refers to what was sent before";
    }
    server.send(kText, text);  // by the session itself, with the same context
    wire += server.written();
    expected.insert(expected.end(), {{kText, text}, {kText, text}});
  }
  EXPECT_EQ(receivedOf(wire, kTakeover), expected);
}

TEST(DeflateJob, OneThatIsThrownAwayLeavesASessionThatGoesOn) {
  std::mt19937 random(4);
  const std::string text = sampleText(random, 20'000);
  for (const bool hasRun : {false, true}) {
    Endpoint server = openServer(kTakeover);
    server.send(kText, text);
    auto job = server.session->takeDeflate(kText, view(text), nullptr, Compression::On);
    ASSERT_NE(job, nullptr);
    if (hasRun) {
      job->run();
    }
    job.reset();
    server.send(kText, text);
    server.session->shrinkDeflate();
    server.send(kText, "the end");
    EXPECT_EQ(receivedOf(server.written(), kTakeover),
              (std::vector<Message>{{kText, text}, {kText, text}, {kText, "the end"}}));
  }
}

TEST(DeflateJob, OneOfManyPartsIsOneMessage) {
  std::mt19937 random(6);
  const std::string text = sampleText(random, 600'000);
  for (const DeflateParameters& agreed : {kTakeover, kNoTakeover}) {
    Endpoint server = openServer(agreed);
    auto job = server.session->takeDeflate(kText, view(text), nullptr, Compression::On);
    if (job == nullptr) {
      job = std::make_shared<DeflateJob>(view(text), nullptr, server.contexts, DeflaterSettings());
    }
    runElsewhere(*job);
    ASSERT_TRUE(job->isCompressed());
    server.session->finishDeflate(*job);
    sendOutput(server, *job);
    server.send(kText, "behind it");
    EXPECT_EQ(receivedOf(server.written(), agreed), (std::vector<Message>{{kText, text}, {kText, "behind it"}}));
  }
}

TEST(DeflateJob, OneThatIsStoppedGivesUpItsContext) {
  std::mt19937 random(7);
  const std::string text = sampleText(random, 600'000);
  Endpoint server = openServer(kTakeover);
  server.send(kText, text);
  const auto job = server.session->takeDeflate(kText, view(text), nullptr, Compression::On);
  ASSERT_NE(job, nullptr);
  job->stop();
  runElsewhere(*job);
  EXPECT_FALSE(job->isCompressed());
  EXPECT_EQ(job->output().data(), view(text).data());
  server.session->finishDeflate(*job);
  server.send(kText, text);
  EXPECT_EQ(receivedOf(server.written(), kTakeover), (std::vector<Message>{{kText, text}, {kText, text}}));

  DeflateJob shared(view(text), nullptr, server.contexts, {});
  shared.stop();
  runElsewhere(shared);
  EXPECT_FALSE(shared.isCompressed());
}

TEST(DeflateJob, IsOnlyForWholeMessagesThatAreCompressed) {
  std::mt19937 random(5);
  const std::string text = sampleText(random, 20'000);
  for (const DeflateParameters& agreed : {kTakeover, kNoTakeover}) {
    Endpoint server = openServer(agreed);
    const auto wants = [&](BufferType type, std::string_view payload, Compression compression) {
      return server.session->sharedDeflater(type, view(payload), compression) != nullptr ||
             server.session->takeDeflate(type, view(payload), nullptr, compression) != nullptr;
    };
    EXPECT_FALSE(wants(kText, text, Compression::Off));
    EXPECT_FALSE(wants(kText, "", Compression::On));
    EXPECT_FALSE(wants(BufferType::Utf8Fragment, text, Compression::On));
    EXPECT_FALSE(wants(BufferType::PingPong, text, Compression::On));
    server.send(BufferType::Utf8Fragment, "begun ");
    EXPECT_FALSE(wants(kText, text, Compression::On)) << "the last part of a message";
    server.send(kText, "ended");
    EXPECT_EQ(receivedOf(server.written(), agreed), (std::vector<Message>{{kText, "begun ended"}}));
    EXPECT_TRUE(wants(BufferType::BinaryMessage, text, Compression::FromThreshold));
    ASSERT_EQ(server.session->sendClose(1000, {}, nullptr), Result::Ok);
    EXPECT_FALSE(wants(kText, text, Compression::On)) << "nothing can be sent any more";
  }
  Session plain(Role::Server, std::make_shared<SessionOptions>());
  ASSERT_EQ(plain.open(), Result::Ok);
  EXPECT_EQ(plain.sharedDeflater(kText, view(text), Compression::On), nullptr);
  EXPECT_EQ(plain.takeDeflate(kText, view(text), nullptr, Compression::On), nullptr);
}

}  // namespace
}  // namespace websocket::deflate
