import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/**
 * The last code of each number as a table that can be asked and forgets: GET http://127.0.0.1:7070/16470000000.
 *
 * <p>Each SMS counts once: state and offsets are one transaction, and ids are remembered for as long as repeats may come.
 */
public final class LastCode {
  private static final String CODES = "codes";
  private static final String SEEN = "seen";
  private static final Duration REPEATS_COME_WITHIN = Duration.ofDays(9); // the topic keeps records for 7 to 8
  private static final List<String> ANSWERED = List.of("id", "code", "observed_at", "provider", "service", "sender");
  /** Kafka has a copy of the table. Unless it is told so, what the table has forgotten stays there for weeks. */
  private static final Map<String, String> FORGETS =
      Map.of("segment.ms", "3600000", "max.compaction.lag.ms", "3600000", "delete.retention.ms", "3600000");
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What happens to each SMS: its key is the number. */
  static final class Keeper implements Processor<String, String, Void, Void> {
    private final Duration kept;
    private ProcessorContext<Void, Void> context;
    private KeyValueStore<String, String> codes;
    private WindowStore<String, String> seen;

    Keeper(Duration kept) {
      this.kept = kept;
    }

    @Override
    public void init(ProcessorContext<Void, Void> context) {
      this.context = context;
      codes = context.getStateStore(CODES);
      seen = context.getStateStore(SEEN);
      context.schedule(Duration.ofSeconds(1), PunctuationType.WALL_CLOCK_TIME, this::forget);
    }

    @Override
    public void process(Record<String, String> record) {
      JsonNode sms = parsed(record.value());
      if (record.key() == null || !sms.path("id").isTextual() || observedAt(sms) == null) {
        System.err.println("no SMS, skipped: " + context.recordMetadata());
      } else if (isNew(sms.get("id").textValue(), record.timestamp()) && isLiveCode(sms) && isNewest(record.key(), sms)) {
        codes.put(record.key(), ((ObjectNode) sms).retain(ANSWERED).toString());
      }
    }

    /** What waited in a journal may come after what is newer. */
    private boolean isNewest(String number, JsonNode sms) {
      String stored = codes.get(number);
      return stored == null || !observedAt(parsed(stored)).isAfter(observedAt(sms));
    }

    private boolean isNew(String id, long at) {
      try (var before = seen.backwardFetch(id, at - REPEATS_COME_WITHIN.toMillis(), at + REPEATS_COME_WITHIN.toMillis())) {
        if (before.hasNext()) {
          return false;
        }
      }
      seen.put(id, "", at);
      return true;
    }

    private static boolean isLiveCode(JsonNode sms) {
      return sms.path("freshness").asText().equals("live") && sms.path("code").isTextual();
    }

    private void forget(long now) {
      try (var all = codes.all()) {
        all.forEachRemaining(
            each -> {
              if (observedAt(parsed(each.value)).plus(kept).toEpochMilli() <= now) {
                codes.delete(each.key);
              }
            });
      }
    }

    private static Instant observedAt(JsonNode sms) {
      try {
        return Instant.parse(sms.path("observed_at").asText());
      } catch (DateTimeParseException noTime) {
        return null;
      }
    }

    private static JsonNode parsed(String value) {
      try {
        return JSON.readTree(value == null ? "" : value);
      } catch (IOException notJson) {
        return MissingNode.getInstance();
      }
    }
  }

  static Topology topology(String topic, Duration kept) {
    var builder = new StreamsBuilder();
    var codes = Stores.inMemoryKeyValueStore(CODES);
    var seen = Stores.persistentWindowStore(SEEN, REPEATS_COME_WITHIN, REPEATS_COME_WITHIN, false);
    builder.addStateStore(Stores.keyValueStoreBuilder(codes, Serdes.String(), Serdes.String()).withLoggingEnabled(FORGETS));
    builder.addStateStore(Stores.windowStoreBuilder(seen, Serdes.String(), Serdes.String()));
    builder.stream(topic, Consumed.with(Serdes.String(), Serdes.String())).process(() -> new Keeper(kept), CODES, SEEN);
    return builder.build();
  }

  /** Answers 200 with the SMS, 404 where there is none or no more, 503 while the table is being restored. */
  static HttpServer answering(KafkaStreams streams, int port) throws IOException {
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
    var store = StoreQueryParameters.fromNameAndType(CODES, QueryableStoreTypes.<String, String>keyValueStore());
    server.createContext(
        "/",
        exchange -> {
          String found = null;
          int status = 503;
          try {
            ReadOnlyKeyValueStore<String, String> table = streams.store(store);
            found = table.get(exchange.getRequestURI().getPath().replaceFirst("^/[+]?", ""));
            status = found == null ? 404 : 200;
          } catch (RuntimeException restoring) {
            // InvalidStateStoreException and its like: ask again
          }
          byte[] body = (found == null ? "" : found).getBytes("UTF-8");
          exchange.getResponseHeaders().set("Content-Type", "application/json");
          exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    return server;
  }

  private static String variable(String name, String otherwise) {
    return System.getenv().getOrDefault(name, otherwise);
  }

  public static void main(String[] arguments) throws IOException {
    var settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, variable("GROUP", "last-code"));
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, variable("KAFKA", "127.0.0.1:9092"));
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, variable("COMMIT_MS", "100"));
    settings.put(StreamsConfig.STATE_DIR_CONFIG, variable("STATE_DIR", "state"));
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, variable("REPLICAS", "-1")); // the brokers' default
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");

    var kept = Duration.ofSeconds(Long.parseLong(variable("KEEP_SECONDS", "1800")));
    var streams = new KafkaStreams(topology(variable("TOPIC", "sms.received.v1"), kept), settings);
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.setStateListener(
        (now, before) -> {
          if (now == KafkaStreams.State.ERROR) {
            Runtime.getRuntime().halt(1); // a supervisor starts it again; else it would answer 503 for ever
          }
        });
    var server = answering(streams, Integer.parseInt(variable("PORT", "7070"))); // fails where the port is taken
    streams.start();
    server.start();
  }
}
