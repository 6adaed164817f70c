import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** Sends a record with each key, as the client's defaults have it, and prints where it went. Arguments: brokers, topic, keys. */
public class Produce {
    public static void main(String[] args) throws Exception {
        Map<String, Object> config = Map.of("bootstrap.servers", args[0]);
        try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            for (int i = 2; i < args.length; i++) {
                System.out.println(args[i] + " " + producer.send(new ProducerRecord<>(args[1], args[i], "x")).get().partition());
            }
        }
    }
}
