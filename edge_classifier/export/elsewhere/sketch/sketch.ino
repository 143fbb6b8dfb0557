// Says what one picture shows, again and again: that of picture.h, until there is a camera.

#include <Chirale_TensorFlowLite.h>  // from the Library Manager: "Chirale_TensorFLowLite"

#include "classifier.h"
#include "picture.h"

Classifier classifier;
bool ready = false;

void setup() {
  Serial.begin(115200);
  ready = classifier.Begin();
  if (!ready) Serial.println("The model cannot be used: make kArenaBytes in model.h larger.");
}

void loop() {
  if (!ready) return;
  Answer answer;
  const unsigned long started = millis();
  if (!classifier.Classify(kPicture, &answer)) {
    Serial.println("The network cannot be run.");
    return;
  }
  Serial.print(answer.unknown ? "unknown" : kLabels[answer.label]);
  Serial.print(" ");
  Serial.print(answer.score, 2);
  Serial.print(", expected ");
  Serial.print(kExpectedLabel);
  Serial.print(" ");
  Serial.print(kExpectedScore, 2);
  Serial.print(", ");
  Serial.print(millis() - started);
  Serial.print(" ms, arena ");
  Serial.print((unsigned)classifier.ArenaUsed());
  Serial.println(" bytes");
  delay(2000);
}
